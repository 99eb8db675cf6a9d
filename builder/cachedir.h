/* Folders of nodebake's cache: what they hold goes into images. */
#ifndef NB_BUILDER_CACHEDIR_H
#define NB_BUILDER_CACHEDIR_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/error.h"

/* Opens CACHE/NAME; with `create` it is made first, 0700, else *fd is -1 when it is not there. A
 * folder where others could plant files is an error. */
int cachedir_open(const char *cache, const char *name, bool create, int *fd, struct error *err)
    NONNULL(1, 2, 4, 5) MUST_CHECK;

#endif
