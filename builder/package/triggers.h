/* dpkg's triggers: what a package wants to be done in others when it is installed. */
#ifndef NB_BUILDER_TRIGGERS_H
#define NB_BUILDER_TRIGGERS_H

#include <stdbool.h>

#include "builder/package/changes.h"
#include "builder/package/deb.h"

/* Does nodebake do what the package's triggers and files would set off in the system? 1 (*ldconfig
 * is set when that is ldconfig), 0 when somebody's maintainer script has to run (err says whose),
 * or -1. The package must be unpacked. */
int triggers_judge(const struct changes *changes, const struct deb *deb, bool *ldconfig,
                   struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

#endif
