#include "builder/artifact/image-members.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/digest.h"
#include "builder/heap.h"
#include "builder/progress.h"
#include "common/cleanup.h"

enum {
    MEMBERS_MAX = 4096,
    JSON_MAX = 4 << 20,  /* bytes of a member that is kept */
    KEPT_MAX = 64 << 20, /* of all of them */
    CHUNK = 64 * 1024
};

static const char BLOBS[] = "blobs/sha256/";

static void archive_free_at(struct archive **a)
{
    archive_read_free(*a);
}

static void digest_free_at(struct digest **digest)
{
    digest_free(*digest);
}

/* One archive under way. */
struct reading {
    struct archive *archive;
    struct image_members *out;
    size_t kept; /* bytes */
    struct progress progress;
    struct error *err;
};

/* The progress counts bytes of the file. */
static void go_on(struct reading *r)
{
    uint64_t at = (uint64_t)archive_filter_bytes(r->archive, -1);
    if (at > r->progress.done)
        progress_add(&r->progress, at - r->progress.done);
}

static int wrong(const struct reading *r)
{
    const char *why = archive_error_string(r->archive);
    if (!r->out->count)
        return error_set(r->err, "not a tar archive, plain or with gzip");
    return error_set(r->err, "damaged: %s", why ? why : "it cannot be read");
}

/* Hands the member's bytes to the digest, and keeps them when they may be JSON. */
static int read_bytes(struct reading *r, struct image_member *m, struct digest *digest)
{
    struct buffer kept AUTO_BUFFER = buffer_heap();
    char chunk[CHUNK];
    bool keep = true;
    la_ssize_t n;
    while ((n = archive_read_data(r->archive, chunk, sizeof chunk)) > 0) {
        if (kept.len == 0 && chunk[0] != '{' && chunk[0] != '[')
            keep = false;
        if (keep)
            buffer_add(&kept, chunk, (size_t)n);
        keep = keep && kept.len <= JSON_MAX;
        go_on(r);
        if (digest && digest_add(digest, chunk, (size_t)n, r->err) < 0)
            return -1;
    }
    if (n < 0)
        return wrong(r);
    if (!keep || !kept.len)
        return 0;
    r->kept += kept.len;
    if (r->kept > KEPT_MAX)
        return error_set(r->err, "holds more than %d MiB of descriptions", KEPT_MAX >> 20);
    m->len = kept.len;
    m->bytes = steal(kept.data);
    kept = (struct buffer){0};
    return 0;
}

static int read_blob(struct reading *r, struct image_member *m)
{
    struct digest *digest __attribute__((cleanup(digest_free_at))) = NULL;
    char hex[DIGEST_HEX_MAX];
    if (digest_begin("sha256", &digest, r->err) < 0 || read_bytes(r, m, digest) < 0 ||
        digest_finish(digest, hex, r->err) < 0)
        return -1;
    if (strcmp(hex, m->name + strlen(BLOBS)) != 0)
        return error_set(r->err, "damaged: %s has another digest", m->name);
    return 0;
}

static int read_member(struct reading *r, struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    if (!name)
        return error_set(r->err, "damaged: a member has no name");
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    if (r->out->count == MEMBERS_MAX)
        return error_set(r->err, "more than %d members: no archive of container images",
                         MEMBERS_MAX);
    struct image_member *m = APPEND(r->out->items, r->out->count, r->out->cap);
    m->name = heap_copy(name);
    if (archive_entry_filetype(entry) != AE_IFREG)
        return 0;
    return strncmp(name, BLOBS, strlen(BLOBS)) == 0 ? read_blob(r, m) : read_bytes(r, m, NULL);
}

static int read_all(struct reading *r)
{
    struct archive_entry *entry;
    int rc;
    while ((rc = archive_read_next_header(r->archive, &entry)) == ARCHIVE_OK)
        if (read_member(r, entry) < 0)
            return -1;
    return rc == ARCHIVE_EOF ? 0 : wrong(r);
}

static int by_name(const void *a, const void *b)
{
    const struct image_member *x = a, *y = b;
    return strcmp(x->name, y->name);
}

int image_members_read(const char *path, struct image_members *out, struct error *err)
{
    struct archive *a __attribute__((cleanup(archive_free_at))) = archive_read_new();
    struct reading r = {.archive = a, .out = out, .err = err};
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, "open it");
    /* What every containerd takes; some filters run other programs, too. */
    if (!a || archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
        archive_read_support_format_tar(a) != ARCHIVE_OK)
        return error_set(err, "this libarchive cannot read tar archives");
    if (archive_read_open_fd(a, fd, CHUNK) != ARCHIVE_OK)
        return error_set(err, "not a tar archive, plain or with gzip: %s", archive_error_string(a));
    r.progress = progress_start((uint64_t)st.st_size, "read %s", path);
    int result = read_all(&r);
    progress_end(&r.progress);
    if (result < 0)
        return -1;
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_name);
    return 0;
}

const struct image_member *image_members_find(const struct image_members *members, const char *name)
{
    const struct image_member wanted = {.name = (char *)name};
    if (!members->count)
        return NULL;
    return bsearch(&wanted, members->items, members->count, sizeof wanted, by_name);
}

int image_members_json(const struct image_members *members, const char *name, json_t **out,
                       struct error *err)
{
    const struct image_member *m = image_members_find(members, name);
    json_error_t cause;
    if (!m)
        return error_set(err, "incomplete: it has no %.128s", name);
    *out = m->bytes ? json_loadb(m->bytes, m->len, 0, &cause) : NULL;
    if (!*out)
        return error_set(err, "damaged: %.128s is no JSON", name);
    return 0;
}

void image_members_free(struct image_members *members)
{
    for (size_t i = 0; i < members->count; i++) {
        free(members->items[i].name);
        free(members->items[i].bytes);
    }
    free(members->items);
}
