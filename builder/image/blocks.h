/* The bytes of a disk image, at any offset: a raw file, or a qcow2 image behind qemu-nbd. */
#ifndef NB_BUILDER_BLOCKS_H
#define NB_BUILDER_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/error.h"

/* A file that holds an image. */
struct disk_file {
    const char *path;
    bool qcow2; /* else raw */
};

struct blocks;

/* Opens the image. A qcow2 image may lie on a backing file, which is only read. */
int blocks_open(const struct disk_file *file, bool writable, struct blocks **out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Bytes of the disk. */
uint64_t blocks_size(const struct blocks *blocks) NONNULL(1);

/* The descriptor of a raw file, for libraries that want one; -1 for qcow2. It stays the owner's. */
int blocks_fd(const struct blocks *blocks) NONNULL(1);

/* Reads n bytes at an offset; all of them lie in the disk, or it is an error. */
int blocks_read(struct blocks *blocks, uint64_t at, void *bytes, size_t n, struct error *err)
    NONNULL(1, 3, 5) MUST_CHECK;

/* Writes n bytes at an offset; all of them lie in the disk, or it is an error. */
int blocks_write(struct blocks *blocks, uint64_t at, const void *bytes, size_t n, struct error *err)
    NONNULL(1, 3, 5) MUST_CHECK;

/* Writes n zero bytes at an offset. They are written, never only unmapped: what they cover may
 * have been secret. */
int blocks_zero(struct blocks *blocks, uint64_t at, uint64_t n, struct error *err)
    NONNULL(1, 4) MUST_CHECK;

/* Copies n bytes of the file `fd`, from the offset `from`, to the disk's offset `at`, without a
 * way through this program where the system can. A file that ends early is an error. */
int blocks_copy(struct blocks *blocks, uint64_t at, int fd, uint64_t from, uint64_t n,
                struct error *err) NONNULL(1, 6) MUST_CHECK;

/* Hands all that was written to the file and closes it; frees it also on -1. NULL is allowed. */
int blocks_close(struct blocks *blocks, struct error *err) NONNULL(2) MUST_CHECK;

#endif
