/* A lock that keeps a second nodebake out of a folder while one writes there. */
#ifndef NB_BUILDER_LOCK_H
#define NB_BUILDER_LOCK_H

#include "common/attributes.h"
#include "common/error.h"

/* Takes the lock, a file `name` (made 0600) in the directory; waits at most `seconds` for whoever
 * holds it. It lasts until *fd is closed, or the process ends. */
int lock_take(int dirfd, const char *name, unsigned seconds, int *fd, struct error *err)
    NONNULL(2, 4, 5) MUST_CHECK;

#endif
