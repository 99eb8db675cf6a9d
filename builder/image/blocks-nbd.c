/* qcow2 behind qemu-nbd. What is written there is no finished file before its owner has synced and
 * published it: QEMU need not flush in between (cache=unsafe). */
#include "builder/heap.h"
#include "builder/image/blocks-kind.h"
#include "builder/image/qemu-path.h"

/* detect-zeroes stays off: zeros that are to cover a secret must not become a mark in a table. */
static int nbd_open(struct blocks *b, bool writable, struct error *err)
{
    char *path AUTO_FREE = qemu_path(b->path);
    const char *const write[] = {"--cache=unsafe", "-f", "qcow2", path, NULL};
    const char *const read[] = {"--read-only", "-f", "qcow2", path, NULL};
    if (qemu_nbd_start(b->path, writable ? write : read, &b->server, err) < 0)
        return -1;
    b->size = qemu_nbd_size(b->server);
    return 0;
}

static int nbd_read(struct blocks *b, uint64_t at, void *bytes, size_t n, struct error *err)
{
    return qemu_nbd_read(b->server, at, bytes, n, err);
}

static int nbd_write(struct blocks *b, uint64_t at, const void *bytes, size_t n, struct error *err)
{
    return qemu_nbd_write(b->server, at, bytes, n, err);
}

static int nbd_close(struct blocks *b, struct error *err)
{
    return qemu_nbd_stop(b->server, true, err);
}

const struct blocks_kind blocks_nbd = {
    .open = nbd_open,
    .read = nbd_read,
    .write = nbd_write,
    .close = nbd_close,
};
