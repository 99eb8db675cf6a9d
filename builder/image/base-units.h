/* The systemd units of a base: which there are, and what switches them on. */
#ifndef NB_BUILDER_BASE_UNITS_H
#define NB_BUILDER_BASE_UNITS_H

#include "builder/image/base.h"

/* Reads the names of unit files into base->units, and the links of /etc/systemd/system, of its
 * .wants and .requires folders, and /etc/resolv.conf if it is a link, into base->links. */
int base_read_units(const struct disk_writer *writer, struct disk *disk, struct base *base,
                    struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* The name of the file of an instance: x@.service for x@1.service; NULL: it is none. The caller
 * frees it. */
char *unit_template(const char *name) NONNULL(1);

#endif
