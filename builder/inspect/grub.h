/* grub.cfg: what is started, with which arguments. */
#ifndef NB_BUILDER_GRUB_H
#define NB_BUILDER_GRUB_H

#include "builder/inspect/report.h"

enum { GRUB_MAX = 1 << 20, GRUB_ENTRIES_MAX = 64 };

/* Adds the lines `linux` of a grub.cfg to the report's entries, at most GRUB_ENTRIES_MAX. */
void grub_read(const char *text, size_t len, struct report *report) NONNULL(1, 3);

#endif
