#include "builder/package/deb-walk.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/attributes.h"

enum { AR_BLOCK = 64 * 1024, AR_MEMBERS_MAX = 16, FORMAT_VERSION_MAX = 16 };

static void archive_close_at(struct archive **a)
{
    archive_read_free(*a);
}
#define AUTO_ARCHIVE __attribute__((cleanup(archive_close_at)))

static int archive_failed(struct archive *a, const char *what, struct error *err)
{
    const char *why = archive_error_string(a);
    return error_set(err, "%s cannot be read: %s", what, why ? why : "damaged");
}

/* How a tar archive may be compressed, by what stands behind ".tar" in its name. */
static const struct compression {
    const char *suffix;
    int code;
    int (*allow)(struct archive *);
} compressions[] = {
    {"", ARCHIVE_FILTER_NONE, NULL},
    {".gz", ARCHIVE_FILTER_GZIP, archive_read_support_filter_gzip},
    {".xz", ARCHIVE_FILTER_XZ, archive_read_support_filter_xz},
    {".zst", ARCHIVE_FILTER_ZSTD, archive_read_support_filter_zstd},
};

/* The bytes of a member of the ar archive are those of the tar archive. */
static la_ssize_t read_member(struct archive *tar, void *ar, const void **out)
{
    size_t n = 0;
    la_int64_t offset;
    int status = ARCHIVE_OK;
    while (n == 0 && status == ARCHIVE_OK)
        status = archive_read_data_block(ar, out, &n, &offset);
    if (status == ARCHIVE_EOF)
        return 0;
    if (status == ARCHIVE_OK)
        return (la_ssize_t)n;
    const char *why = archive_error_string(ar);
    archive_set_error(tar, EINVAL, "%s", why ? why : "damaged");
    return ARCHIVE_FATAL;
}

struct walk {
    const char *member;
    const struct deb_bounds *bounds;
    deb_visitor *visit;
    void *ctx;
};

static int walk_entries(const struct walk *w, struct archive *tar, const char *name,
                        struct error *err)
{
    struct archive_entry *entry;
    uint64_t bytes = 0;
    int status;
    /* A warning is about a name that this locale cannot show. */
    for (size_t n = 0;
         (status = archive_read_next_header(tar, &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN;
         n++) {
        if (archive_entry_size(entry) > 0)
            bytes += (uint64_t)archive_entry_size(entry);
        if (n >= w->bounds->entries || bytes > w->bounds->bytes)
            return error_set(err, "%s holds more than %zu entries or %llu bytes", name,
                             w->bounds->entries, (unsigned long long)w->bounds->bytes);
        if (w->visit(tar, entry, w->ctx, err) < 0)
            return -1;
    }
    return status == ARCHIVE_EOF ? 0 : archive_failed(tar, name, err);
}

static int walk_tar(const struct walk *w, struct archive *ar, const char *name, struct error *err)
{
    const struct compression *found = NULL;
    struct archive *tar AUTO_ARCHIVE = archive_read_new();
    for (size_t i = 0; i < ARRAY_LEN(compressions); i++)
        if (strcmp(name + strlen(w->member) + strlen(".tar"), compressions[i].suffix) == 0)
            found = &compressions[i];
    if (!found)
        return error_set(err, "%s is compressed in an unknown way; known are .gz, .xz and .zst",
                         name);
    if (!tar)
        return error_set(err, "libarchive: out of memory");
    archive_read_support_format_tar(tar);
    if (found->allow)
        found->allow(tar);
    if (archive_read_open(tar, ar, NULL, read_member, NULL) != ARCHIVE_OK)
        return archive_failed(tar, name, err);
    /* dpkg goes by the name. */
    if (archive_filter_code(tar, 0) != found->code)
        return error_set(err, "%s is not compressed as its name says", name);
    return walk_entries(w, tar, name, err);
}

/* The first member of a .deb. */
static int check_format(struct archive *ar, const char *name, struct error *err)
{
    char version[FORMAT_VERSION_MAX] = "";
    la_ssize_t n =
        strcmp(name, "debian-binary") == 0 ? archive_read_data(ar, version, sizeof version - 1) : 0;
    if (n < 0)
        return archive_failed(ar, name, err);
    if (strncmp(version, "2.", 2) != 0)
        return error_set(err, "is not a Debian package of format 2");
    return 0;
}

static bool is_wanted(const char *name, const char *member)
{
    size_t n = strlen(member);
    return strncmp(name, member, n) == 0 && strncmp(name + n, ".tar", 4) == 0;
}

static int walk_members(const struct walk *w, struct archive *ar, struct error *err)
{
    struct archive_entry *entry;
    int status;
    for (size_t i = 0; i < AR_MEMBERS_MAX; i++) {
        status = archive_read_next_header(ar, &entry);
        if (status == ARCHIVE_EOF)
            return error_set(err, "holds no %s.tar", w->member);
        const char *name = status == ARCHIVE_OK ? archive_entry_pathname(entry) : NULL;
        if (!name)
            return archive_failed(ar, "the package", err);
        if (i == 0 && check_format(ar, name, err) < 0)
            return -1;
        if (is_wanted(name, w->member))
            return walk_tar(w, ar, name, err);
    }
    return error_set(err, "holds no %s.tar among its first %d members", w->member, AR_MEMBERS_MAX);
}

int deb_walk(int fd, const char *member, const struct deb_bounds *bounds, deb_visitor *visit,
             void *ctx, struct error *err)
{
    struct walk w = {member, bounds, visit, ctx};
    struct archive *ar AUTO_ARCHIVE = archive_read_new();
    if (!ar)
        return error_set(err, "libarchive: out of memory");
    archive_read_support_format_ar(ar);
    if (archive_read_open_fd(ar, fd, AR_BLOCK) != ARCHIVE_OK)
        return archive_failed(ar, "the package", err);
    return walk_members(&w, ar, err);
}
