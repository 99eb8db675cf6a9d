/* Bytes deflated (RFC 1951) on all cores: pieces of fixed size, each by itself, so that the result
 * does not depend on how many cores there are. */
#ifndef NB_BUILDER_DEFLATE_H
#define NB_BUILDER_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/error.h"

/* What went in, as the end of a gzip member tells it. */
struct deflate_sum {
    uint32_t crc;
    uint64_t bytes;
};

struct deflate;

/* Begins to write to the descriptor, where it stands; it stays the caller's. `path` stands in
 * errors. Takes up to 24 MiB of memory. */
int deflate_start(int fd, const char *path, struct deflate **out, struct error *err)
    NONNULL(2, 3, 4) MUST_CHECK;

/* Adds n bytes. */
int deflate_add(struct deflate *deflate, const void *bytes, size_t n, struct error *err)
    NONNULL(1, 2, 4) MUST_CHECK;

/* With `complete` writes what is left and sets *sum. No block is marked as the last one: more
 * deflated bytes may follow, then the caller's DEFLATE_END. Frees it, also on -1. */
int deflate_stop(struct deflate *deflate, bool complete, struct deflate_sum *sum, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* An empty last block: its two bytes. */
#define DEFLATE_END "\x03\x00"

/* The sum of `first` with `second` behind it. */
struct deflate_sum deflate_join(struct deflate_sum first, struct deflate_sum second);

#endif
