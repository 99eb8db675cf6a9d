#include "builder/image/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/blocks-kind.h"
#include "builder/image/copy.h"

enum { CHUNK = 256 * 1024 };

int blocks_open(const struct disk_file *file, bool writable, struct blocks **out, struct error *err)
{
    struct blocks *b = heap_array(1, sizeof *b);
    *b = (struct blocks){
        .kind = file->qcow2 ? &blocks_nbd : &blocks_raw, .path = heap_copy(file->path), .fd = -1};
    if (b->kind->open(b, writable, err) < 0) {
        free(b->path);
        free(b);
        return -1;
    }
    *out = b;
    return 0;
}

uint64_t blocks_size(const struct blocks *blocks)
{
    return blocks->size;
}

int blocks_fd(const struct blocks *blocks)
{
    return blocks->fd;
}

static int check_range(const struct blocks *b, uint64_t at, uint64_t n, struct error *err)
{
    if (at > b->size || n > b->size - at)
        return error_set(err, "%s: %llu bytes at %llu are not all on the disk", b->path,
                         (unsigned long long)n, (unsigned long long)at);
    return 0;
}

int blocks_read(struct blocks *b, uint64_t at, void *bytes, size_t n, struct error *err)
{
    if (check_range(b, at, n, err) < 0)
        return -1;
    return b->kind->read(b, at, bytes, n, err);
}

int blocks_write(struct blocks *b, uint64_t at, const void *bytes, size_t n, struct error *err)
{
    if (check_range(b, at, n, err) < 0)
        return -1;
    return b->kind->write(b, at, bytes, n, err);
}

int blocks_zero(struct blocks *b, uint64_t at, uint64_t n, struct error *err)
{
    static const char zeros[64 * 1024];
    if (check_range(b, at, n, err) < 0)
        return -1;
    for (uint64_t done = 0, part; done < n; done += part) {
        part = n - done < sizeof zeros ? n - done : sizeof zeros;
        if (b->kind->write(b, at + done, zeros, (size_t)part, err) < 0)
            return -1;
    }
    return 0;
}

static int copy_through(struct blocks *b, uint64_t at, struct copy_end from, uint64_t n,
                        char *chunk, struct error *err)
{
    for (uint64_t done = 0; done < n;) {
        ssize_t got = copy_read(from, chunk, n - done < CHUNK ? (size_t)(n - done) : CHUNK, err);
        if (got < 0 || b->kind->write(b, at + done, chunk, (size_t)got, err) < 0)
            return -1;
        done += (uint64_t)got;
        from.at += (uint64_t)got;
    }
    return 0;
}

int blocks_copy(struct blocks *b, uint64_t at, int fd, uint64_t from, uint64_t n, struct error *err)
{
    if (check_range(b, at, n, err) < 0)
        return -1;
    uint64_t done = b->kind->copy ? b->kind->copy(b, at, fd, from, n) : 0;
    if (done == n)
        return 0;
    /* Who calls knows the file's name. */
    struct copy_end source = {.fd = fd, .path = "the file", .at = from + done};
    char *chunk AUTO_FREE = heap_array(CHUNK, 1);
    int result = copy_through(b, at + done, source, n - done, chunk, err);
    explicit_bzero(chunk, CHUNK); /* it may be a key */
    return result;
}

int blocks_close(struct blocks *b, struct error *err)
{
    if (!b)
        return 0;
    int result = b->kind->close(b, err);
    free(b->path);
    free(b);
    return result;
}
