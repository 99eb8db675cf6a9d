/* Installing packages without the guest: what dpkg and the maintainer scripts would do to the
 * system, found out here and written by the disk's writer. */
#ifndef NB_BUILDER_PACKAGE_DIRECT_H
#define NB_BUILDER_PACKAGE_DIRECT_H

#include "builder/package/changes.h"
#include "builder/package/choose.h"

/* Fills the changes with all that installing the choices does. 1, 0 when the guest's own dpkg has
 * to do it (err says why), or -1. `scratch` is an empty folder; it must stay until the changes are
 * written. `status` is the system's package database. */
int direct_plan(struct changes *changes, const struct choices *choices, struct dpkg_text status,
                const char *scratch, struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

#endif
