#include "builder/package/selection.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cachedir.h"
#include "builder/heap.h"
#include "builder/package/apt.h"
#include "builder/package/prune.h"
#include "builder/texts.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { SHA256_LEN = 64, LIST_MAX = 1 << 20, STATUS_MAX = 64 << 20, KEPT_MAX = 16 };

/* An answer to be got. */
struct asking {
    struct work *w;
    struct apt_root root;
    struct apt_files files;
    const char **names; /* of the packages that the base lacks */
    size_t count;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int find_key(const struct work *w, char key[static DIGEST_HEX_MAX])
{
    size_t n = w->in->package_count;
    const char **names AUTO_FREE = heap_array(n + 1, sizeof *names);
    struct buffer text AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < n; i++)
        names[i] = w->in->packages[i];
    qsort(names, n, sizeof *names, by_text);
    buffer_printf(&text, "base %s\n", w->base);
    for (size_t i = 0; i < n; i++)
        buffer_printf(&text, "package %s\n", names[i]);
    return digest_memory(text.data, text.len, "sha256", key, w->err);
}

/* ---- what is known ---- */

static int is_deb(const struct dirent *item)
{
    const char *dot = strrchr(item->d_name, '.');
    return item->d_name[0] != '.' && dot && strcmp(dot, ".deb") == 0;
}

/* The names of the packages in a folder, sorted; none when it is not there. */
static void list_debs(const char *folder, struct texts *out)
{
    struct dirent **items = NULL;
    int n = scandir(folder, &items, is_deb, NULL);
    for (int i = 0; i < n; i++) {
        texts_add(out, items[i]->d_name);
        free(items[i]);
    }
    free(items);
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_text);
}

/* "DIGEST  NAME\n" of each package in the folder. */
static int describe(const struct work *w, const char *folder, bool kept, struct buffer *out,
                    struct error *err)
{
    struct texts names AUTO_TEXTS = {0};
    char *digests AUTO_FREE = heap_printf("%s/digests", w->in->cache);
    list_debs(folder, &names);
    for (size_t i = 0; i < names.count; i++) {
        char sha256[DIGEST_HEX_MAX];
        char *path AUTO_FREE = heap_printf("%s/%s", folder, names.items[i]);
        int result = kept ? digest_kept(digests, path, w->in->rehash, sha256, err)
                          : digest_path(path, sha256, err);
        if (result < 0)
            return -1;
        buffer_printf(out, "%s  %s\n", sha256, names.items[i]);
    }
    return 0;
}

int selection_find(struct work *w)
{
    char key[DIGEST_HEX_MAX];
    struct error ignored = ERROR_INIT;
    struct buffer list AUTO_BUFFER = buffer_heap(), now AUTO_BUFFER = buffer_heap();
    int dir AUTO_CLOSE = -1;
    if (find_key(w, key) < 0 || cachedir_open(w->in->cache, "packages", false, &dir, w->err) < 0)
        return -1;
    char *name AUTO_FREE = heap_printf("%s.list", key);
    char *folder AUTO_FREE = heap_printf("%s/packages/%s", w->in->cache, key);
    /* What is damaged is as good as not there. */
    if (dir < 0 || file_read(dir, name, LIST_MAX, &list, &ignored) < 0 || !list.len ||
        describe(w, folder, true, &now, &ignored) < 0 || strcmp(list.data, now.data) != 0)
        return 0;
    utimensat(dir, name, NULL, 0); /* when it fails, it goes earlier */
    w->folder = steal(folder);
    return 0;
}

/* ---- asking ---- */

/* What the user can do without the repositories. */
static int with_advice(struct error *err)
{
    const struct error why = *err;
    return error_set(err,
                     "%.800s; a folder of .deb files, named with `debs: FOLDER` in the cluster "
                     "file, would do instead",
                     why.text);
}

static int read_base(struct asking *a, const struct disk_view *view)
{
    struct work *w = a->w;
    struct buffer status AUTO_BUFFER = buffer_heap();
    char *folder AUTO_FREE = work_path(w, PREPARE_WORK "/apt");
    if (view->writer->read(view->disk, "/var/lib/dpkg/status", STATUS_MAX, &status, w->err) < 0 ||
        work_keep_status(w, status.data, status.len) < 0)
        return -1;
    if (work_complete(w))
        return 0;
    if (mkdir(folder, 0700) < 0)
        return error_errno(w->err, "create %s", folder);
    if (apt_root_make(view->writer, view->disk, (struct dpkg_text){status.data, status.len},
                      &w->in->access, folder, &a->root, w->err) < 0)
        return with_advice(w->err);
    return 0;
}

static int look_at_base(struct asking *a)
{
    struct disk_view view;
    struct buffer remarks AUTO_BUFFER = buffer_heap();
    struct error ignored = ERROR_INIT, *err = a->w->err;
    if (disk_view_open(&a->w->in->image, a->w->in->writer, &view, &remarks, err) < 0)
        return -1;
    int result = read_base(a, &view);
    if (view.writer->close_all(view.set, result < 0 ? &ignored : err) < 0)
        result = -1;
    return result;
}

static void find_names(struct asking *a)
{
    const struct work *w = a->w;
    a->names = heap_array(w->in->package_count + 1, sizeof *a->names);
    for (size_t i = 0; i < w->in->package_count; i++)
        if (!dpkg_installed(w->status.data, w->status.len, w->in->packages[i]))
            a->names[a->count++] = w->in->packages[i];
}

static void say(const struct asking *a)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < a->files.count; i++)
        buffer_printf(&names, "%s%.*s", i ? ", " : "", (int)strcspn(a->files.items[i].name, "_"),
                      a->files.items[i].name);
    a->w->out->says = heap_printf("would fetch %s (%.1f MB) from the repositories of %s, and "
                                  "install them into a copy of it",
                                  names.data, (double)a->files.bytes / 1e6, a->w->in->image.path);
}

static int sync_at(int dir, const char *name, struct error *err)
{
    int fd AUTO_CLOSE = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? error_errno(err, "sync %s", name) : 0;
}

/* apt left a lock and a folder of its own beside the packages. */
static int move_debs(const struct asking *a, const char *from, const char *to)
{
    struct error *err = a->w->err;
    struct texts names AUTO_TEXTS = {0};
    list_debs(from, &names);
    if (names.count != a->files.count)
        return error_set(err, "apt-get fetched %zu packages and not %zu", names.count,
                         a->files.count);
    int dir AUTO_CLOSE = mkdir(to, 0700) < 0 ? -1 : open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_errno(err, "create %s", to);
    for (size_t i = 0; i < names.count; i++) {
        char *path AUTO_FREE = heap_printf("%s/%s", from, names.items[i]);
        if (renameat(AT_FDCWD, path, dir, names.items[i]) < 0)
            return error_errno(err, "rename %s", path);
        if (sync_at(dir, names.items[i], err) < 0)
            return -1;
    }
    return file_sync_dir(dir, ".", err);
}

/* Takes the place of an older answer, which goes to the folder .work. */
static int replace(int dir, const char *fresh, const char *key, struct error *err)
{
    if (renameat(AT_FDCWD, fresh, dir, key) == 0)
        return 0;
    if ((errno != ENOTEMPTY && errno != EEXIST) ||
        renameat2(AT_FDCWD, fresh, dir, key, RENAME_EXCHANGE) < 0)
        return error_errno(err, "rename %s", fresh);
    return 0;
}

static int keep(const struct asking *a)
{
    struct work *w = a->w;
    char key[DIGEST_HEX_MAX];
    int dir AUTO_CLOSE = -1;
    struct buffer list AUTO_BUFFER = buffer_heap();
    char *from AUTO_FREE = work_path(w, PREPARE_WORK "/apt/" APT_ROOT_ARCHIVES);
    char *chosen AUTO_FREE = work_path(w, PREPARE_WORK "/chosen");
    if (find_key(w, key) < 0 || cachedir_open(w->in->cache, "packages", true, &dir, w->err) < 0 ||
        move_debs(a, from, chosen) < 0 || describe(w, chosen, false, &list, w->err) < 0)
        return -1;
    char *name AUTO_FREE = heap_printf("%s.list", key);
    if (replace(dir, chosen, key, w->err) < 0 ||
        file_publish(dir, name, list.data, list.len, 0600, w->err) < 0)
        return -1;
    w->folder = heap_printf("%s/packages/%s", w->in->cache, key);
    char *packages AUTO_FREE = heap_printf("%s/packages", w->in->cache);
    prune_old(packages, ".list", "", KEPT_MAX, key);
    return 0;
}

static int ask(struct asking *a)
{
    struct error *err = a->w->err;
    if (apt_update(&a->root, err) < 0 ||
        apt_choose(&a->root, a->names, a->count, &a->files, err) < 0)
        return -1;
    if (!a->files.count)
        return error_set(err, "there is nothing to fetch, for the base has %s, half installed",
                         a->names[0]);
    return a->w->in->dry ? 0 : apt_fetch(&a->root, a->names, a->count, &a->files, err);
}

static int fetch(struct asking *a)
{
    find_names(a);
    if (ask(a) < 0)
        return with_advice(a->w->err);
    if (!a->w->in->dry)
        return keep(a);
    say(a);
    return 0;
}

int selection_fetch(struct work *w)
{
    struct asking a = {.w = w, .root = {.dir = -1}};
    int result = look_at_base(&a);
    if (result == 0 && !work_complete(w))
        result = fetch(&a);
    free(a.names);
    apt_files_free(&a.files);
    apt_root_free(&a.root);
    return result;
}
