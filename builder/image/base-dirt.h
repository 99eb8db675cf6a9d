/* What the base's own boots left in it. */
#ifndef NB_BUILDER_BASE_DIRT_H
#define NB_BUILDER_BASE_DIRT_H

#include "builder/image/base.h"

/* Lists in base->dirt, sorted, what the table of dirt.h does not keep; of a directory that is to
 * go as a whole also what lies in it. */
int base_read_dirt(const struct disk_writer *writer, struct disk *disk, struct base *base,
                   struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

#endif
