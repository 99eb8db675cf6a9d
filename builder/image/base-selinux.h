/* SELinux in a base. */
#ifndef NB_BUILDER_BASE_SELINUX_H
#define NB_BUILDER_BASE_SELINUX_H

#include "builder/image/base.h"

/* Refuses a base that would load a policy: firstboot writes before that, and its files would have
 * no labels. base->files are read. */
int base_refuse_selinux(const struct disk_writer *writer, struct disk *disk,
                        const struct base *base, struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

#endif
