/* Many files of the pki folder published at once: each is whole and on the disk before it takes its
 * name, and the disk is waited for once rather than twice a file. */
#ifndef NB_BUILDER_PKI_BATCH_H
#define NB_BUILDER_PKI_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* .folder is set by who makes one; zeroed otherwise. */
struct batch {
    int folder;
    struct batch_file {
        char *name, *temporary; /* temporary NULL: it has its name */
    } * files;
    size_t count, cap;
};

/* Writes a file under a temporary name, 0600 from its first byte when `secret`, else 0644. With
 * a passphrase, secrets are encrypted. */
int batch_add(struct batch *batch, const char *name, bool secret, const struct buffer *bytes,
              struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Waits until all are on the disk, gives them their names in the order in which they came, and
 * waits for those; counts them in *written. */
int batch_commit(struct batch *batch, unsigned *written, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Removes what has no name yet, and frees what the struct holds. */
void batch_free(struct batch *batch) NONNULL(1);
#define AUTO_BATCH __attribute__((cleanup(batch_free)))

#endif
