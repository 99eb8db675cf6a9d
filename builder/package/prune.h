/* Keeping a cache folder small. */
#ifndef NB_BUILDER_PACKAGE_PRUNE_H
#define NB_BUILDER_PACKAGE_PRUNE_H

#include <stddef.h>

#include "common/attributes.h"
#include "common/error.h"

/* Removes a file, or a folder with all that is in it; nothing there is fine. */
int prune_tree(const char *path, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Of the files in the folder whose names end with `suffix` the newest `kept` stay, and those that
 * begin with `spare`; the others go, each with what has `with` in place of the suffix. */
void prune_old(const char *folder, const char *suffix, const char *with, size_t kept,
               const char *spare) NONNULL(1, 2, 3, 5);

#endif
