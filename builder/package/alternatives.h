/* update-alternatives in another system's stead: the tool of this machine works on a folder that
 * holds what it asks for and nothing else, and what it made there becomes changes. */
#ifndef NB_BUILDER_ALTERNATIVES_H
#define NB_BUILDER_ALTERNATIVES_H

#include "builder/package/changes.h"
#include "builder/package/scripts.h"

/* Carries the actions' calls of update-alternatives out, in the new folder `scratch`. 1, 0 when
 * this machine has not Debian's tool, or the calls would do more than add and change links (err
 * says so), or -1. */
int alternatives_run(struct changes *changes, const struct script_actions *actions,
                     const char *scratch, struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

#endif
