/* Paths as a process inside the root would see them: no link, absolute or with `..`, leads out. */
#ifndef NB_FIRSTBOOT_RESOLVE_H
#define NB_FIRSTBOOT_RESOLVE_H

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Opens what is there at `path` below the directory rootfd, following links inside it, with flags
 * of openat (O_CREAT is not for this). A descriptor, or -1 with errno. */
int resolve_open(int rootfd, const char *path, int flags) NONNULL(2) MUST_CHECK;

/* Appends a whole regular file to the fixed buffer, with no copy of its bytes elsewhere: 1, 0 when
 * there is none, -1 when it cannot be read or does not fit. The error names the path; errno is
 * EINVAL for what is no regular file, EFBIG for one that does not fit. */
int resolve_read(int rootfd, const char *path, struct buffer *out, struct error *err)
    NONNULL(2, 3, 4) MUST_CHECK;

#endif
