/* An image behind a qemu-nbd of our own: requests go over a socket that has no name, strictly one
 * after the other, so that the same requests give the same file. The server never outlives the
 * thread that started it. Only this file's .c includes libnbd.h. */
#ifndef NB_BUILDER_QEMU_NBD_H
#define NB_BUILDER_QEMU_NBD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/error.h"

struct qemu_nbd;

/* Runs qemu-nbd with these arguments (those behind its name, NULL at the end), which say what
 * image it opens and how. `path` stands in errors. */
int qemu_nbd_start(const char *path, const char *const *arguments, struct qemu_nbd **out,
                   struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Bytes of the disk. */
uint64_t qemu_nbd_size(const struct qemu_nbd *server) NONNULL(1);

/* Reads n bytes at an offset, all inside the disk. */
int qemu_nbd_read(struct qemu_nbd *server, uint64_t at, void *bytes, size_t n, struct error *err)
    NONNULL(1, 3, 5) MUST_CHECK;

/* Writes n bytes at an offset, all inside the disk. */
int qemu_nbd_write(struct qemu_nbd *server, uint64_t at, const void *bytes, size_t n,
                   struct error *err) NONNULL(1, 3, 5) MUST_CHECK;

/* Ends the server and waits for it. With `complete` it first hands all that was written to the
 * file, and what goes wrong is an error; without, it is killed. Frees it, also on -1. */
int qemu_nbd_stop(struct qemu_nbd *server, bool complete, struct error *err)
    NONNULL(1, 3) MUST_CHECK;

#endif
