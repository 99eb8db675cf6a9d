/* The name under which programs ask for a shared library. */
#ifndef NB_BUILDER_SONAME_H
#define NB_BUILDER_SONAME_H

#include "common/attributes.h"
#include "common/error.h"

/* Reads the DT_SONAME of the file: 1 and *name set (the caller frees it), 0 when the file is no
 * shared library of x86-64 or has no such name, or -1. Damage counts as 0, as it does for ldconfig.
 */
int soname_read(const char *path, char **name, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

#endif
