/* What the files behind blocks.h share: the kinds of images, a table of functions each. */
#ifndef NB_BUILDER_BLOCKS_KIND_H
#define NB_BUILDER_BLOCKS_KIND_H

#include "builder/image/blocks.h"
#include "builder/image/qemu-nbd.h"

struct blocks_kind;

struct blocks {
    const struct blocks_kind *kind;
    char *path;
    uint64_t size;
    int fd;                  /* of raw, else -1 */
    struct qemu_nbd *server; /* of qcow2, else NULL */
};

/* One kind; functions follow the contract of errors. Ranges lie in the disk: blocks.c has looked.
 */
struct blocks_kind {
    /* Opens the image at blocks->path, and sets the size. */
    int (*open)(struct blocks *blocks, bool writable, struct error *err);
    int (*read)(struct blocks *blocks, uint64_t at, void *bytes, size_t n, struct error *err);
    int (*write)(struct blocks *blocks, uint64_t at, const void *bytes, size_t n,
                 struct error *err);
    /* Copies up to n bytes of another file without a way through this program; returns how many.
     * NULL: cannot. */
    uint64_t (*copy)(struct blocks *blocks, uint64_t at, int fd, uint64_t from, uint64_t n);
    /* Hands all to the file and closes it, also on -1. */
    int (*close)(struct blocks *blocks, struct error *err);
};

extern const struct blocks_kind blocks_raw, blocks_nbd;

#endif
