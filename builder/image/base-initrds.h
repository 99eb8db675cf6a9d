/* The initrds of a base. */
#ifndef NB_BUILDER_BASE_INITRDS_H
#define NB_BUILDER_BASE_INITRDS_H

#include "builder/image/base.h"
#include "common/attributes.h"
#include "common/error.h"

/* Lists those of initramfs-tools that lie beside their kernels; none is an error. An initrd without
 * its kernel is a left-over, or one of update-initramfs' own copies. */
int base_find_initrds(const struct disk_writer *writer, struct disk *disk, struct base *base,
                      struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Frees the list. */
void base_free_initrds(struct base *base) NONNULL(1);

#endif
