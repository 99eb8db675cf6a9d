/* What Google Compute Engine imports: a gzip-compressed tar archive of the old GNU format with the
 * one member disk.raw, sparse, of whole GiB. Source: "Requirements for the image file" in its
 * documentation of manually imported images.
 *
 * The headers tell where the data of the disk lie, stand before them, and are known after them:
 * what comes is deflated into a file without a name, and copied behind the headers at the end.
 *
 *     gzip header | deflated: tar headers | deflated: data, end of archive | empty block | crc,
 * size
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "builder/heap.h"
#include "builder/image/copy.h"
#include "builder/image/deflate.h"
#include "builder/image/format.h"
#include "builder/image/oldgnu.h"
#include "common/cleanup.h"
#include "common/file.h"

static const uint64_t GIB = 1 << 30;

/* RFC 1952: deflate, no flags, no time, of Unix. */
static const unsigned char gzip_header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};

struct sink {
    char *path;
    int out, spool;
    struct deflate *body; /* goes to the spool */
    struct oldgnu_region *regions;
    size_t count, cap;
    uint64_t size, held; /* bytes: of the disk, of the regions */
    time_t mtime;
};

/* Where a file cannot be made without a name it loses it at once. */
static int open_unnamed(const char *path, struct error *err)
{
    char *folder AUTO_FREE = heap_copy(path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char *name AUTO_FREE = heap_printf("%s.XXXXXX", path);
    fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "create %s", name);
    unlink(name);
    return fd;
}

static void sink_free(struct sink *sink)
{
    cleanup_close(&sink->out);
    cleanup_close(&sink->spool);
    free(sink->regions);
    free(sink->path);
    free(sink);
}

static int open_files(struct sink *sink, struct error *err)
{
    sink->out = open(sink->path, O_RDWR | O_CLOEXEC);
    if (sink->out < 0)
        return error_errno(err, "open %s", sink->path);
    sink->spool = open_unnamed(sink->path, err);
    if (sink->spool < 0)
        return -1;
    return deflate_start(sink->spool, sink->path, &sink->body, err);
}

static int begin(const struct sink_start *start, struct sink **out, struct error *err)
{
    struct sink *sink = heap_array(1, sizeof *sink);
    *sink = (struct sink){.path = heap_copy(start->path),
                          .out = -1,
                          .spool = -1,
                          .size = start->size,
                          .mtime = start->mtime};
    if (open_files(sink, err) < 0) {
        sink_free(sink);
        return -1;
    }
    *out = sink;
    return 0;
}

static int add_zeros(struct deflate *deflate, size_t n, struct error *err)
{
    static const char zeros[OLDGNU_RECORD + OLDGNU_BLOCK];
    return n ? deflate_add(deflate, zeros, n, err) : 0;
}

static size_t missing(uint64_t bytes, uint64_t unit)
{
    return (size_t)((unit - bytes % unit) % unit);
}

/* The end of an odd disk is filled up to a block; behind it the disk grows to whole GiB. */
static int data(struct sink *sink, uint64_t at, const void *bytes, size_t n, struct error *err)
{
    size_t filler = missing(n, OLDGNU_BLOCK);
    struct oldgnu_region *last = sink->count ? &sink->regions[sink->count - 1] : NULL;
    if (!last || last->at + last->n != at) {
        last = APPEND(sink->regions, sink->count, sink->cap);
        *last = (struct oldgnu_region){.at = at};
    }
    last->n += n + filler;
    sink->held += n + filler;
    if (deflate_add(sink->body, bytes, n, err) < 0)
        return -1;
    return add_zeros(sink->body, filler, err);
}

static int put_headers(const struct sink *sink, const struct oldgnu_file *file,
                       struct deflate_sum *sum, struct error *err)
{
    unsigned char block[OLDGNU_BLOCK];
    struct deflate *head;
    int result = 0;
    if (deflate_start(sink->out, sink->path, &head, err) < 0)
        return -1;
    for (size_t i = 0, n = oldgnu_blocks(file); i < n && result == 0; i++) {
        oldgnu_block(file, i, block);
        result = deflate_add(head, block, sizeof block, err);
    }
    if (deflate_stop(head, result == 0, sum, err) < 0)
        return -1;
    return result;
}

/* Two blocks of zeros, and more up to a whole record. */
static int end_body(struct sink *sink, const struct oldgnu_file *file, struct deflate_sum *sum,
                    struct error *err)
{
    uint64_t bytes = oldgnu_blocks(file) * OLDGNU_BLOCK + sink->held + 2 * OLDGNU_BLOCK;
    int result = add_zeros(sink->body, 2 * OLDGNU_BLOCK + missing(bytes, OLDGNU_RECORD), err);
    if (deflate_stop(steal(sink->body), result == 0, sum, err) < 0)
        return -1;
    return result;
}

static void put_little_endian(unsigned char *field, uint64_t number)
{
    for (size_t i = 0; i < 4; i++, number /= 256)
        field[i] = (unsigned char)number;
}

static int append(const struct sink *sink, const void *bytes, size_t n, struct error *err)
{
    if (lseek(sink->out, 0, SEEK_END) < 0 || file_write_all(sink->out, bytes, n) < 0)
        return error_errno(err, "write %s", sink->path);
    return 0;
}

static int append_spool(const struct sink *sink, struct error *err)
{
    off_t size = lseek(sink->spool, 0, SEEK_END), at = lseek(sink->out, 0, SEEK_END);
    if (size < 0 || at < 0)
        return error_errno(err, "%s", sink->path);
    struct copy_end from = {.fd = sink->spool, .path = sink->path};
    struct copy_end to = {.fd = sink->out, .path = sink->path, .at = (uint64_t)at};
    return copy_bytes(from, to, (uint64_t)size, false, NULL, err);
}

static int finish(struct sink *sink, struct error *err)
{
    struct oldgnu_file file = {.name = "disk.raw",
                               .mtime = sink->mtime,
                               .size = sink->size + missing(sink->size, GIB),
                               .regions = sink->regions,
                               .count = sink->count};
    struct deflate_sum head, body;
    unsigned char trailer[2 + 4 + 4] = DEFLATE_END;
    if (end_body(sink, &file, &body, err) < 0 ||
        append(sink, gzip_header, sizeof gzip_header, err) < 0 ||
        put_headers(sink, &file, &head, err) < 0 || append_spool(sink, err) < 0)
        return -1;
    struct deflate_sum sum = deflate_join(head, body);
    put_little_endian(trailer + 2, sum.crc);
    put_little_endian(trailer + 6, sum.bytes);
    return append(sink, trailer, sizeof trailer, err);
}

static int end(struct sink *sink, bool complete, struct error *err)
{
    struct deflate_sum ignored;
    int result = complete ? finish(sink, err) : 0;
    if (sink->body && deflate_stop(sink->body, false, &ignored, err) < 0)
        result = -1;
    sink_free(sink);
    return result;
}

const struct format format_gce = {
    .name = "gce",
    .suffix = ".tar.gz",
    .begin = begin,
    .data = data,
    .end = end,
};
