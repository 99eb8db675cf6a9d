/* The folder with the cluster's keys: its owner alone may read it, and every key in it. */
#ifndef NB_BUILDER_PKI_FOLDER_H
#define NB_BUILDER_PKI_FOLDER_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Opens the folder; when it is not there it is made, 0700. One that belongs to somebody else, or
 * that others can enter, is an error. */
int folder_open(const char *dir, int *fd, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* Appends the file's bytes and sets *present; a file that is not there sets it to false. A file
 * that is not the caller's own, that others can write, or when `secret` read, is an error. */
int folder_read(int fd, const char *name, bool secret, struct buffer *out, bool *present,
                struct error *err) NONNULL(2, 4, 5, 6) MUST_CHECK;

#endif
