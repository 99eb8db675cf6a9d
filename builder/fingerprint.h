/* Is a file still the one that it was? Told by size, inode and times, without reading it. */
#ifndef NB_BUILDER_FINGERPRINT_H
#define NB_BUILDER_FINGERPRINT_H

#include <sys/stat.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

enum { FINGERPRINT_MAX = 128 };

/* Appends size, inode, mtime and ctime: a changed mode, owner or content changes the ctime. */
void fingerprint_add(struct buffer *out, const struct stat *st) NONNULL(1, 2);

/* The same of the regular file at a path, as a text. */
int fingerprint_of(const char *path, char text[static FINGERPRINT_MAX], struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
