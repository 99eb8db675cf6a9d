/* What openat2 does with RESOLVE_IN_ROOT, for Linux before 5.6. */
#ifndef NB_FIRSTBOOT_WALK_H
#define NB_FIRSTBOOT_WALK_H

#include "common/attributes.h"

/* Opens what is there at `path` below the directory rootfd, following links inside it, with flags
 * of openat. A descriptor, or -1 with errno; ELOOP after 64 links and `..`. */
int walk_open(int rootfd, const char *path, int flags) NONNULL(2) MUST_CHECK;

#endif
