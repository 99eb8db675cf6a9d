#include "builder/image/blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "common/cleanup.h"

struct blocks {
    int fd;
    uint64_t size;
    char *path;
};

int blocks_open(const struct disk_file *file, bool writable, struct blocks **out, struct error *err)
{
    struct stat st;
    if (file->qcow2)
        return error_set(err, "%s: qcow2 images cannot be edited yet", file->path);
    int fd AUTO_CLOSE = open(file->path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, "open %s", file->path);
    struct blocks *b = heap_array(1, sizeof *b);
    *b = (struct blocks){.size = (uint64_t)st.st_size, .path = heap_copy(file->path)};
    b->fd = steal_fd(&fd);
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
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(b->fd, (char *)bytes + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, "read %s", b->path);
        if (got == 0)
            return error_set(err, "%s: was cut while it was read", b->path);
        done += (size_t)got;
    }
    return 0;
}

int blocks_write(struct blocks *b, uint64_t at, const void *bytes, size_t n, struct error *err)
{
    if (check_range(b, at, n, err) < 0)
        return -1;
    for (size_t done = 0; done < n;) {
        ssize_t put = pwrite(b->fd, (const char *)bytes + done, n - done, (off_t)(at + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_errno(err, "write %s", b->path);
        done += (size_t)put;
    }
    return 0;
}

int blocks_zero(struct blocks *b, uint64_t at, uint64_t n, struct error *err)
{
    static const char zeros[64 * 1024];
    for (uint64_t done = 0; done < n;) {
        uint64_t part = n - done < sizeof zeros ? n - done : sizeof zeros;
        if (blocks_write(b, at + done, zeros, (size_t)part, err) < 0)
            return -1;
        done += part;
    }
    return 0;
}

/* 1, 0 when the system cannot do it in itself, or -1. */
static int copy_inside(struct blocks *b, uint64_t at, int fd, uint64_t from, uint64_t n,
                       uint64_t *done, struct error *err)
{
    while (*done < n) {
        off_t in = (off_t)(from + *done), out = (off_t)(at + *done);
        ssize_t copied = copy_file_range(fd, &in, b->fd, &out, (size_t)(n - *done), 0);
        if (copied < 0 && errno == EINTR)
            continue;
        /* What it really is (a full disk, an unreadable file) tells the plain way, too. */
        if (copied <= 0)
            return 0;
        *done += (uint64_t)copied;
    }
    (void)err;
    return 1;
}

int blocks_copy(struct blocks *b, uint64_t at, int fd, uint64_t from, uint64_t n, struct error *err)
{
    enum { CHUNK = 256 * 1024 };
    uint64_t done = 0;
    if (check_range(b, at, n, err) < 0)
        return -1;
    if (copy_inside(b, at, fd, from, n, &done, err) > 0)
        return 0;
    char *chunk AUTO_FREE = heap_array(CHUNK, 1);
    while (done < n) {
        size_t part = n - done < CHUNK ? (size_t)(n - done) : CHUNK;
        ssize_t got = pread(fd, chunk, part, (off_t)(from + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, "read");
        if (got == 0)
            return error_set(err, "became shorter while it was read");
        if (blocks_write(b, at + done, chunk, (size_t)got, err) < 0)
            return -1;
        done += (uint64_t)got;
    }
    explicit_bzero(chunk, CHUNK);
    return 0;
}

int blocks_close(struct blocks *b, struct error *err)
{
    if (!b)
        return 0;
    int result = 0;
    if (close(b->fd) < 0)
        result = error_errno(err, "close %s", b->path);
    free(b->path);
    free(b);
    return result;
}
