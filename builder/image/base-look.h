/* A look at a base, without a copy of it and without a virtual machine. */
#ifndef NB_BUILDER_BASE_LOOK_H
#define NB_BUILDER_BASE_LOOK_H

#include "builder/image/base.h"

/* Reads the base; not a byte of it changes. 1, 0 when only libguestfs could (err says why), or -1.
 * On 1 the caller frees *out. */
int base_look(const struct disk_file *file, struct base **out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
