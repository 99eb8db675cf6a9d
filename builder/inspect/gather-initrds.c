/* Is firstboot in the initrds, and the one of the manifest? What the builder appends to an initrd
 * is found by its mark, in whatever size of initrd; the whole is only unpacked without one. */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "builder/heap.h"
#include "builder/image/image.h"
#include "builder/image/initramfs.h"
#include "builder/image/initrd.h"
#include "builder/inspect/gather.h"

enum {
    GZIP_HEAD = 10, /* bytes before the name in a gzip header */
    GZIP_WINDOW = 15 + 16,
    ADDED_MAX = 4 << 20, /* bytes of what is appended, packed or not */
    CHUNK = 64 * 1024
};

/* The files that are appended, and what they have to equal. */
static const struct {
    const char *name, *path;
} pairs[] = {
    {"usr/lib/nodebake/firstboot", IMAGE_FIRSTBOOT},
    {"scripts/local-bottom/nodebake", IMAGE_INITRAMFS_SCRIPT},
};

/* A search for the mark in bytes that come in pieces. */
struct tail {
    struct buffer bytes; /* from the mark's gzip header on; before it is found, the last few */
    bool found;
};

static void drop(struct buffer *b, size_t n)
{
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
}

static bool begins_gzip(const char *at)
{
    static const char head[] = {0x1f, (char)0x8b, 8, 8};
    return memcmp(at, head, sizeof head) == 0;
}

static int take_bytes(void *ctx, const void *bytes, size_t n, struct error *err)
{
    struct tail *tail = ctx;
    struct buffer *b = &tail->bytes;
    const size_t keep = GZIP_HEAD + sizeof INITRD_MARK;
    if (tail->found && b->len + n > ADDED_MAX)
        return error_set(err, "what nodebake appended is larger than %d bytes", ADDED_MAX);
    buffer_add(b, bytes, n);
    for (size_t from = GZIP_HEAD; !tail->found && from < b->len;) {
        const char *mark = memmem(b->data + from, b->len - from, INITRD_MARK, sizeof INITRD_MARK);
        if (!mark)
            break;
        from = (size_t)(mark - b->data) + 1;
        tail->found = begins_gzip(mark - GZIP_HEAD);
        if (tail->found)
            drop(b, (size_t)(mark - b->data) - GZIP_HEAD);
    }
    if (!tail->found && b->len > keep)
        drop(b, b->len - keep);
    return 0;
}

/* zlib compares the checksum at the end; what stands behind it would be no work of ours. */
static int unpack(const struct buffer *packed, struct buffer *out, struct error *err)
{
    char chunk[CHUNK];
    z_stream z = {.next_in = (unsigned char *)packed->data, .avail_in = (uInt)packed->len};
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return error_set(err, "zlib cannot unpack");
    int code = Z_OK;
    while (code == Z_OK && out->len <= ADDED_MAX) {
        z.next_out = (unsigned char *)chunk;
        z.avail_out = sizeof chunk;
        code = inflate(&z, Z_NO_FLUSH);
        buffer_add(out, chunk, sizeof chunk - z.avail_out);
    }
    size_t left = z.avail_in;
    inflateEnd(&z);
    if (code != Z_STREAM_END || left)
        return error_set(err, "what nodebake appended is damaged");
    return 0;
}

static void archive_free_at(struct archive **a)
{
    archive_read_free(*a);
}
#define AUTO_ARCHIVE __attribute__((cleanup(archive_free_at)))

static int hash_entry(struct archive *a, char hex[static DIGEST_HEX_MAX], struct error *err)
{
    char chunk[CHUNK];
    la_ssize_t n;
    struct buffer content AUTO_BUFFER = buffer_heap();
    while ((n = archive_read_data(a, chunk, sizeof chunk)) > 0)
        buffer_add(&content, chunk, (size_t)n);
    if (n < 0)
        return error_set(err, "what nodebake appended is damaged");
    return digest_memory(content.data, content.len, "sha256", hex, err);
}

/* 1: all files are there as in the manifest, 0: not, -1. */
static int compare_entries(const struct inspection *in, struct archive *a, struct error *err)
{
    struct archive_entry *entry;
    size_t same = 0;
    int code;
    while ((code = archive_read_next_header(a, &entry)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        for (size_t i = 0; name && i < ARRAY_LEN(pairs); i++) {
            char hex[DIGEST_HEX_MAX];
            const struct manifest_item *item = manifest_find(&in->manifest, pairs[i].path);
            if (strcmp(name, pairs[i].name) != 0)
                continue;
            if (hash_entry(a, hex, err) < 0)
                return -1;
            same += item && strcmp(hex, item->sha256) == 0;
        }
    }
    if (code != ARCHIVE_EOF)
        return error_set(err, "what nodebake appended is damaged");
    return same == ARRAY_LEN(pairs);
}

static int compare_added(const struct inspection *in, const struct buffer *packed,
                         enum firstboot_state *state, struct error *err)
{
    struct buffer bytes AUTO_BUFFER = buffer_heap();
    struct archive *a AUTO_ARCHIVE = archive_read_new();
    if (unpack(packed, &bytes, err) < 0)
        return -1;
    if (!a || archive_read_support_format_cpio(a) != ARCHIVE_OK ||
        archive_read_open_memory(a, bytes.data, bytes.len) != ARCHIVE_OK)
        return error_set(err, "what nodebake appended is damaged");
    int same = compare_entries(in, a, err);
    *state = !in->manifest.count ? FIRSTBOOT_PRESENT : same > 0 ? FIRSTBOOT_SAME : FIRSTBOOT_OTHER;
    return same < 0 ? -1 : 0;
}

static int scan(const struct inspection *in, const char *path, enum firstboot_state *state,
                struct error *err)
{
    struct buffer bytes AUTO_BUFFER = buffer_heap();
    struct initrd initrd = {.order = buffer_heap()};
    int result = in->view.writer->read(in->view.disk, path, INITRD_MAX, &bytes, err);
    if (result == 0)
        result = initrd_scan(bytes.data, bytes.len, &initrd, err);
    if (result == 0)
        *state = initrd.baked ? FIRSTBOOT_PRESENT : FIRSTBOOT_ABSENT;
    buffer_free(&initrd.order);
    return result < 0 ? -1 : 0;
}

static int look_into(const struct inspection *in, const char *path, enum firstboot_state *state,
                     struct error *err)
{
    struct tail tail = {.bytes = buffer_heap()};
    int result = in->view.writer->stream(in->view.disk, path, take_bytes, &tail, err);
    if (result == 0)
        result =
            tail.found ? compare_added(in, &tail.bytes, state, err) : scan(in, path, state, err);
    buffer_free(&tail.bytes);
    return result < 0 ? -1 : 0;
}

static void judge(struct report *r, const struct kernel *kernel)
{
    if (kernel->firstboot == FIRSTBOOT_ABSENT)
        report_problem(r, "initrd", kernel->initrd,
                       "does not hold firstboot: the machine would not become a node");
    if (kernel->firstboot == FIRSTBOOT_OTHER)
        report_problem(r, "initrd", kernel->initrd, "holds another firstboot than %s",
                       IMAGE_FIRSTBOOT);
}

int gather_initrds(struct inspection *in, struct error *err)
{
    struct report *r = in->report;
    (void)err;
    for (size_t i = 0; i < r->kernel_count; i++) {
        struct kernel *kernel = &r->kernels[i];
        struct error why = ERROR_INIT;
        if (!kernel->initrd)
            report_problem(r, "initrd", "", "kernel %s has no initrd", kernel->version);
        else if (look_into(in, kernel->initrd, &kernel->firstboot, &why) < 0)
            report_problem(r, "initrd", kernel->initrd, "cannot be read: %s", why.text);
        else
            judge(r, kernel);
    }
    return 0;
}
