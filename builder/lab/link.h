/* Unix sockets in the lab's folder, whose path may be longer than a socket's may be. */
#ifndef NB_BUILDER_LAB_LINK_H
#define NB_BUILDER_LAB_LINK_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Connects to the socket `name` in the directory (AT_FDCWD: the working directory); while others
 * queue there, waits up to `until`, a time of link_now. */
int link_connect(int dirfd, const char *name, double until, int *fd, struct error *err)
    NONNULL(2, 4, 5) MUST_CHECK;

/* Makes a listening socket `name` there, for its owner only; what was there goes first. */
int link_listen(int dirfd, const char *name, int *fd, struct error *err)
    NONNULL(2, 3, 4) MUST_CHECK;

/* Appends a line, without its newline, of at most `max` bytes. The
 * end of the stream, too, ends a line that has bytes. Reads byte for byte nothing behind it. */
int link_read_line(int fd, double until, size_t max, struct buffer *out, struct error *err)
    NONNULL(4, 5) MUST_CHECK;

/* Appends all up to the end of the stream. */
int link_read_all(int fd, double until, size_t max, struct buffer *out, struct error *err)
    NONNULL(4, 5) MUST_CHECK;

/* Writes all of it in time. */
int link_write(int fd, double until, const char *bytes, size_t n, struct error *err)
    NONNULL(3, 5) MUST_CHECK;

/* Seconds of the monotonic clock. */
double link_now(void);

#endif
