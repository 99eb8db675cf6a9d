#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/blocks-kind.h"
#include "builder/image/copy.h"
#include "common/cleanup.h"

/* Of a block device only seeking tells the size. */
static int raw_open(struct blocks *b, bool writable, struct error *err)
{
    struct stat st;
    int fd AUTO_CLOSE = open(b->path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, "open %s", b->path);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return error_set(err, "open %s: not a file or a block device", b->path);
    off_t size = lseek(fd, 0, SEEK_END);
    if (size < 0)
        return error_errno(err, "open %s", b->path);
    b->size = (uint64_t)size;
    b->fd = steal_fd(&fd);
    return 0;
}

static int raw_read(struct blocks *b, uint64_t at, void *bytes, size_t n, struct error *err)
{
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

static int raw_write(struct blocks *b, uint64_t at, const void *bytes, size_t n, struct error *err)
{
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

static uint64_t raw_copy(struct blocks *b, uint64_t at, int fd, uint64_t from, uint64_t n)
{
    struct copy_end source = {.fd = fd, .at = from}, target = {.fd = b->fd, .at = at};
    return copy_inside(source, target, n, NULL);
}

static int raw_close(struct blocks *b, struct error *err)
{
    return close(b->fd) < 0 ? error_errno(err, "close %s", b->path) : 0;
}

const struct blocks_kind blocks_raw = {
    .open = raw_open,
    .read = raw_read,
    .write = raw_write,
    .copy = raw_copy,
    .close = raw_close,
};
