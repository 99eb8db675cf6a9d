/* Whole files, read with a bound and published atomically. Paths are relative to a directory
 * descriptor; AT_FDCWD is the working directory. */
#ifndef NB_COMMON_FILE_H
#define NB_COMMON_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Appends the whole regular file to `out`; more than `max` bytes is an error. The error names
 * the path. */
int file_read(int dirfd, const char *path, size_t max, struct buffer *out, struct error *err)
    NONNULL(2, 4, 5) MUST_CHECK;

/* Writes all bytes to the descriptor; on -1 errno says why. */
int file_write_all(int fd, const void *bytes, size_t n) MUST_CHECK;

/* Creates `path` with exactly this mode, owner and content; what was there goes first. `path` is a
 * temporary name: a failure may leave it half written. *fd, for its fsync, belongs to the caller.
 */
int file_begin(int dirfd, const char *path, const void *bytes, size_t n, mode_t mode, uid_t uid,
               gid_t gid, int *fd, struct error *err) NONNULL(2, 8, 9) MUST_CHECK;

/* The same, and fsyncs it. */
int file_stage(int dirfd, const char *path, const void *bytes, size_t n, mode_t mode, uid_t uid,
               gid_t gid, struct error *err) NONNULL(2, 8) MUST_CHECK;

/* fsyncs the directory `path`. */
int file_sync_dir(int dirfd, const char *path, struct error *err) NONNULL(2, 3) MUST_CHECK;

/* Publishes a file owned by the caller: stages beside it, renames over it, fsyncs the directory.
 * After a failure the old file, if any, is untouched and the temporary one is gone. */
int file_publish(int dirfd, const char *path, const void *bytes, size_t n, mode_t mode,
                 struct error *err) NONNULL(2, 6) MUST_CHECK;

#endif
