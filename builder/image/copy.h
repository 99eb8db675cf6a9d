/* Bytes copied from file to file, inside the system where it can. */
#ifndef NB_BUILDER_COPY_H
#define NB_BUILDER_COPY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "builder/progress.h"
#include "common/attributes.h"
#include "common/error.h"

/* A place in an open file. */
struct copy_end {
    int fd;
    const char *path; /* for errors */
    uint64_t at;
};

/* Reads 1 to n bytes; a file that ends there is an error. Returns how many, or -1. */
ssize_t copy_read(struct copy_end from, void *bytes, size_t n, struct error *err)
    NONNULL(2, 4) MUST_CHECK;

/* Copies up to n bytes, as far as the system can by itself; returns how many. Why it stopped (a
 * full disk, an unreadable file, a file system that cannot) tells the plain way, too. */
uint64_t copy_inside(struct copy_end from, struct copy_end to, uint64_t n,
                     struct progress *progress);

/* Copies n bytes; a source that ends early is an error. Where nothing but zeros stands in `to`
 * (`fresh`), zeros may be left out. Adds the bytes to `progress`; NULL is allowed. */
int copy_bytes(struct copy_end from, struct copy_end to, uint64_t n, bool fresh,
               struct progress *progress, struct error *err) NONNULL(6) MUST_CHECK;

/* Where the next data of a file begins, at or behind `at` and at most at `size`; `at` where the
 * system cannot tell. */
uint64_t copy_next_data(int fd, uint64_t at, uint64_t size);

/* Where the data that stand at `at` end: at the next hole, at most at `size`. */
uint64_t copy_end_of_data(int fd, uint64_t at, uint64_t size);

#endif
