/* os-release(5), read from memory. */
#ifndef NB_BUILDER_OSRELEASE_H
#define NB_BUILDER_OSRELEASE_H

#include <stddef.h>

#include "common/attributes.h"

/* A copy of the key's value without its quotes, or NULL when it is absent or empty; the caller
 * frees it. The last line of a key wins, as for a shell. Control bytes become '?'. */
char *os_release_value(const char *text, size_t len, const char *key) NONNULL(3);

#endif
