/* What a package unpacks into the system. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/package/deb-walk.h"
#include "builder/package/deb.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { CHUNK = 128 * 1024, ID_MAX = 0x7fffffff };

struct unpacking {
    struct deb *deb;
    const char *folder, *prefix;
    char *chunk;
};

/* "./usr/bin/" is "/usr/bin"; "" for the root; NULL for what is no such path. */
static char *clean_path(const char *path)
{
    if (!path)
        return NULL;
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    size_t n = strlen(path);
    if (n && path[n - 1] == '/')
        n--;
    if (n == 0 || (n == 1 && *path == '.'))
        return heap_copy("");
    char *clean = heap_printf("/%.*s", (int)n, path);
    if (tree_path_clean(clean))
        return clean;
    free(clean);
    return NULL;
}

static int copy_content(struct archive *tar, const struct unpacking *u, int fd, uint64_t size,
                        struct error *err)
{
    for (uint64_t done = 0;;) {
        la_ssize_t n = archive_read_data(tar, u->chunk, CHUNK);
        if (n < 0) {
            const char *why = archive_error_string(tar);
            return error_set(err, "%s", why ? why : "damaged");
        }
        if (n == 0 && done == size)
            return 0;
        done += (uint64_t)n;
        if (n == 0 || done > size)
            return error_set(err, "not the %llu bytes that its header says",
                             (unsigned long long)size);
        if (file_write_all(fd, u->chunk, (size_t)n) < 0)
            return error_errno(err, "write");
    }
}

static int unpack_file(struct archive *tar, struct archive_entry *from, const struct unpacking *u,
                       struct deb_item *item, struct error *err)
{
    item->entry.type = ENTRY_FILE;
    item->entry.host = heap_printf("%s/%s%zu", u->folder, u->prefix, u->deb->item_count);
    if (archive_entry_sparse_count(from) > 0)
        return error_set(err, "is stored as a sparse file, which is not supported");
    int fd AUTO_CLOSE =
        open(item->entry.host, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_errno(err, "create %s", item->entry.host);
    if (copy_content(tar, u, fd, (uint64_t)archive_entry_size(from), err) < 0)
        return -1;
    return digest_fd(fd, "md5", NULL, item->md5, err);
}

/* The target is a file that stands before it in the archive. */
static int link_hard(const struct unpacking *u, const char *to, struct deb_item *item,
                     struct error *err)
{
    item->entry.type = ENTRY_HARDLINK;
    item->entry.target = clean_path(to);
    for (size_t i = 0; item->entry.target && i + 1 < u->deb->item_count; i++) {
        const struct deb_item *file = &u->deb->items[i];
        if (file->entry.type == ENTRY_FILE && strcmp(file->entry.path, item->entry.target) == 0) {
            memcpy(item->md5, file->md5, sizeof item->md5);
            return 0;
        }
    }
    return error_set(err, "is a hard link to %.200s, which is no earlier file of the package", to);
}

static int fill_item(struct archive *tar, struct archive_entry *from, const struct unpacking *u,
                     struct deb_item *item, struct error *err)
{
    const char *hard = archive_entry_hardlink(from), *target = archive_entry_symlink(from);
    if (hard)
        return link_hard(u, hard, item, err);
    switch (archive_entry_filetype(from)) {
    case AE_IFREG:
        return unpack_file(tar, from, u, item, err);
    case AE_IFDIR:
        item->entry.type = ENTRY_DIR;
        return 0;
    case AE_IFLNK:
        item->entry.type = ENTRY_LINK;
        item->entry.target = heap_copy(target);
        return target && *target ? 0 : error_set(err, "is a link to nothing");
    default:
        return error_set(err, "is neither a file, a directory nor a link");
    }
}

static int take_item(struct archive *tar, struct archive_entry *from, void *ctx, struct error *err)
{
    const struct unpacking *u = ctx;
    const char *stored = archive_entry_pathname(from);
    char *path AUTO_FREE = clean_path(stored);
    la_int64_t uid = archive_entry_uid(from), gid = archive_entry_gid(from);
    if (!path)
        return error_set(err, "the path %.200s in it is not clean", stored ? stored : "(none)");
    if (!*path)
        return 0;
    struct deb_item *item = APPEND(u->deb->items, u->deb->item_count, u->deb->item_cap);
    item->entry.path = heap_copy(path);
    item->entry.mode = archive_entry_perm(from);
    item->mtime = archive_entry_mtime(from);
    item->user = heap_copy(archive_entry_uname(from));
    item->group = heap_copy(archive_entry_gname(from));
    if (uid < 0 || uid > ID_MAX || gid < 0 || gid > ID_MAX)
        return error_set(err, "%s: its owner is no number from 0 to %d", item->entry.path, ID_MAX);
    item->entry.uid = (uid_t)uid;
    item->entry.gid = (gid_t)gid;
    if (fill_item(tar, from, u, item, err) < 0)
        return error_context(err, "%s", item->entry.path);
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_unique(const struct deb *deb, struct error *err)
{
    const char **paths AUTO_FREE = heap_array(deb->item_count, sizeof *paths);
    for (size_t i = 0; i < deb->item_count; i++)
        paths[i] = deb->items[i].entry.path;
    qsort(paths, deb->item_count, sizeof *paths, by_path);
    for (size_t i = 1; i < deb->item_count; i++)
        if (strcmp(paths[i - 1], paths[i]) == 0)
            return error_set(err, "%s stands in it twice", paths[i]);
    return 0;
}

/* What was chosen by its control file must be what is unpacked. */
static int check_digest(const struct deb *deb, int fd, struct error *err)
{
    char now[DIGEST_HEX_MAX];
    if (digest_fd(fd, "sha256", NULL, now, err) < 0)
        return -1;
    if (strcmp(now, deb->sha256) != 0)
        return error_set(err, "was changed while it was read; run this again");
    return 0;
}

static int unpack(struct deb *deb, const char *folder, const char *prefix, struct error *err)
{
    static const struct deb_bounds bounds = {DEB_ITEMS_MAX, DEB_DATA_MAX};
    char *chunk AUTO_FREE = heap_array(CHUNK, 1);
    struct unpacking u = {deb, folder, prefix, chunk};
    int fd AUTO_CLOSE = open(deb->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_errno(err, "open");
    if (check_digest(deb, fd, err) < 0 || deb_walk(fd, "data", &bounds, take_item, &u, err) < 0)
        return -1;
    return check_unique(deb, err);
}

int deb_unpack(struct deb *deb, const char *folder, const char *prefix, struct error *err)
{
    if (unpack(deb, folder, prefix, err) < 0)
        return error_context(err, "%s", deb->path);
    return 0;
}
