/* dpkg's and apt's records of newly installed packages, as those two would write them. */
#ifndef NB_BUILDER_REGISTER_H
#define NB_BUILDER_REGISTER_H

#include "builder/package/changes.h"
#include "builder/package/choose.h"

/* Adds the files of /var/lib/dpkg/info, the new package database (made of `status`, the old one)
 * and apt's list of packages that came as dependencies. The packages must be unpacked. */
int register_packages(struct changes *changes, struct dpkg_text status,
                      const struct choices *choices, struct error *err) NONNULL(1, 3, 4) MUST_CHECK;

/* Appends a package's stanza of the database; an empty line stands behind it. */
int register_stanza(const struct deb *deb, struct buffer *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Is it a file of the control archive that dpkg keeps in info/, and that needs nothing else? */
bool register_knows(const char *control) NONNULL(1);

#endif
