/* What looks after a base's network, names and first boot, as far as its files tell. */
#ifndef NB_BUILDER_BASE_SYSTEM_H
#define NB_BUILDER_BASE_SYSTEM_H

#include "builder/image/base.h"

/* Fills base->resolved, base->network, base->cloud_init and base->cloud_network. */
int base_read_system(const struct disk_writer *writer, struct disk *disk, struct base *base,
                     struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

#endif
