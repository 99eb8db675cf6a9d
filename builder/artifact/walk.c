#include "builder/artifact/walk.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"

enum { CHUNK = 128 * 1024, ENTRIES_MAX = 1 << 17 };
static const uint64_t total_max = UINT64_C(64) << 30; /* bytes of all entries together */

/* The open artifact, as libarchive's callbacks see it. */
struct source {
    int fd;
    off_t at;
    struct progress *progress;
    char *chunk;
};

static la_ssize_t source_read(struct archive *a, void *data, const void **out)
{
    struct source *s = data;
    ssize_t n;
    do {
        n = pread(s->fd, s->chunk, CHUNK, s->at);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        archive_set_error(a, errno, "cannot read");
        return ARCHIVE_FATAL;
    }
    s->at += n;
    *out = s->chunk;
    progress_add(s->progress, (uint64_t)n);
    return n;
}

/* zip needs it: its list of members stands at the end. */
static la_int64_t source_seek(struct archive *a, void *data, la_int64_t offset, int whence)
{
    struct source *s = data;
    struct stat st;
    if (fstat(s->fd, &st) < 0) {
        archive_set_error(a, errno, "cannot seek");
        return ARCHIVE_FATAL;
    }
    off_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? s->at : st.st_size;
    if (offset < -from || offset > st.st_size - from) {
        archive_set_error(a, EINVAL, "offset outside the file");
        return ARCHIVE_FATAL;
    }
    s->at = from + offset;
    return s->at;
}

static void archive_close_at(struct archive **a)
{
    archive_read_free(*a);
}

/* Formats and compressions are named one by one: support_all would run programs for some. */
static void allow_formats(struct archive *a)
{
    archive_read_support_format_tar(a);
    archive_read_support_format_zip(a);
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_lzma(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_filter_lz4(a);
    archive_read_support_filter_compress(a);
}

static int archive_failed(struct archive *a, const struct artifact *artifact, struct error *err)
{
    const char *why = archive_error_string(a);
    return error_set(err, "%s: cannot be read as a tar or zip archive: %s", artifact->file,
                     why ? why : "damaged");
}

struct walk {
    const struct artifact *artifact;
    bool *seen;
    size_t left; /* members not met yet */
    bool whole;  /* go on to the end, to notice repeated names */
    walk_visitor *visit;
    void *ctx;
};

/* Archives write "./bridge" for "bridge", and a folder with a slash behind it. */
static bool same_path(const char *listed, const char *path)
{
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    size_t n = strlen(listed);
    return strncmp(path, listed, n) == 0 && (path[n] == '\0' || strcmp(path + n, "/") == 0);
}

static bool find_member(const struct artifact *artifact, struct archive_entry *entry, size_t *index)
{
    const char *path = archive_entry_pathname(entry);
    for (size_t i = 0; path && i < artifact->member_count; i++) {
        if (same_path(artifact->members[i].from, path)) {
            *index = i;
            return true;
        }
    }
    return false;
}

static int check_entry(const struct artifact *artifact, const struct member *m,
                       struct archive_entry *entry, struct error *err)
{
    const char *link = archive_entry_hardlink(entry);
    if (link)
        return error_set(err, "%s: %s is a hard link to %.200s; list that one as '%s'",
                         artifact->file, m->from, link, m->name);
    if (archive_entry_filetype(entry) == AE_IFLNK)
        return error_set(err, "%s: %s is a symbolic link; list the file that it leads to as '%s'",
                         artifact->file, m->from, m->name);
    if (archive_entry_filetype(entry) != AE_IFREG)
        return error_set(err, "%s: %s is not a regular file", artifact->file, m->from);
    if (archive_entry_sparse_count(entry) > 0)
        return error_set(err, "%s: %s is stored as a sparse file, which is not supported",
                         artifact->file, m->from);
    if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) < 0)
        return error_set(err, "%s: %s has no size", artifact->file, m->from);
    if ((uint64_t)archive_entry_size(entry) > MEMBER_MAX)
        return error_set(err, "%s: %s has %lld bytes, more than the 2 GiB allowed", artifact->file,
                         m->from, (long long)archive_entry_size(entry));
    return 0;
}

static int meet_entry(struct walk *w, struct archive *a, struct archive_entry *entry,
                      struct error *err)
{
    size_t index;
    if (!find_member(w->artifact, entry, &index))
        return 0;
    const struct member *m = &w->artifact->members[index];
    if (w->seen[index])
        return error_set(err, "%s holds %s twice", w->artifact->file, m->from);
    w->seen[index] = true;
    w->left--;
    if (check_entry(w->artifact, m, entry, err) < 0)
        return -1;
    return w->visit(a, entry, index, w->ctx, err);
}

static int walk_entries(struct walk *w, struct archive *a, struct error *err)
{
    uint64_t total = 0;
    for (size_t entries = 0; w->left || w->whole; entries++) {
        struct archive_entry *entry;
        int status = archive_read_next_header(a, &entry);
        if (status == ARCHIVE_EOF)
            break;
        /* A warning is about a name that this locale cannot show. */
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            return archive_failed(a, w->artifact, err);
        if (archive_entry_size(entry) > 0)
            total += (uint64_t)archive_entry_size(entry);
        if (entries >= ENTRIES_MAX || total > total_max)
            return error_set(err, "%s: holds more than %d entries or 64 GiB", w->artifact->file,
                             ENTRIES_MAX);
        if (meet_entry(w, a, entry, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < w->artifact->member_count; i++)
        if (!w->seen[i])
            return error_set(err, "%s holds no %s, which is listed as '%s'", w->artifact->file,
                             w->artifact->members[i].from, w->artifact->members[i].name);
    return 0;
}

static int walk_open(struct walk *w, int fd, struct progress *progress, struct error *err)
{
    char *chunk AUTO_FREE = heap_array(CHUNK, 1);
    struct source source = {fd, 0, progress, chunk};
    struct archive *a __attribute__((cleanup(archive_close_at))) = archive_read_new();
    if (!a)
        return error_set(err, "libarchive: out of memory");
    allow_formats(a);
    archive_read_set_callback_data(a, &source);
    archive_read_set_read_callback(a, source_read);
    archive_read_set_seek_callback(a, source_seek);
    if (archive_read_open1(a) != ARCHIVE_OK)
        return archive_failed(a, w->artifact, err);
    return walk_entries(w, a, err);
}

int archive_walk(int fd, const struct artifact *artifact, bool whole, walk_visitor *visit,
                 void *ctx, struct progress *progress, struct error *err)
{
    bool *seen AUTO_FREE = heap_array(artifact->member_count, sizeof *seen);
    struct walk w = {artifact, seen, artifact->member_count, whole, visit, ctx};
    return walk_open(&w, fd, progress, err);
}
