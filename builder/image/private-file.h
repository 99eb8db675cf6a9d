/* New files that nobody else may read: images hold keys. */
#ifndef NB_BUILDER_PRIVATE_FILE_H
#define NB_BUILDER_PRIVATE_FILE_H

#include "common/attributes.h"
#include "common/error.h"

/* Makes an empty file, 0600 from the first moment, in place of what an interrupted build left
 * there. Returns a descriptor for reading and writing, the caller's, or -1. */
int private_file_create(const char *path, struct error *err) NONNULL(1, 2) MUST_CHECK;

#endif
