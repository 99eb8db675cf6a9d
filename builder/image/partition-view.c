#include "builder/image/partition-view.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"

int view_open(struct blocks *blocks, struct view *view, struct error *err)
{
    int fd = blocks_fd(blocks);
    *view = (struct view){.blocks = blocks, .fd = fd};
    if (fd >= 0)
        return 0;
    int memory AUTO_CLOSE = memfd_create("disk", MFD_CLOEXEC);
    if (memory < 0 || ftruncate(memory, (off_t)blocks_size(blocks)) < 0)
        return error_errno(err, "memory for the partition table");
    view->fd = steal_fd(&memory);
    view->copy = true;
    return 0;
}

static bool all_zero(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return true;
}

int view_show(struct view *view, uint64_t at, uint64_t n, struct error *err)
{
    char chunk[32 * 1024];
    uint64_t size = blocks_size(view->blocks);
    if (!view->copy || at >= size)
        return 0;
    for (uint64_t end = n < size - at ? at + n : size; at < end;) {
        size_t part = end - at < sizeof chunk ? (size_t)(end - at) : sizeof chunk;
        if (blocks_read(view->blocks, at, chunk, part, err) < 0)
            return -1;
        if (!all_zero(chunk, part) && pwrite(view->fd, chunk, part, (off_t)at) != (ssize_t)part)
            return error_errno(err, "memory for the partition table");
        at += part;
    }
    return 0;
}

void view_close(struct view *view)
{
    if (view->copy)
        cleanup_close(&view->fd);
    else if (view->blocks)
        /* libblkid switched read-ahead off, for everybody who reads through this descriptor. */
        posix_fadvise(view->fd, 0, 0, POSIX_FADV_NORMAL);
}
