/* A small write-through cache of blocks: behind a qcow2 image every read is a round trip to another
 * process. */
#ifndef NB_BUILDER_EXT4_CACHE_H
#define NB_BUILDER_EXT4_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"

/* Each block has one slot, chosen by its number. */
struct cache {
    uint64_t *blocks; /* number + 1 of the block in each slot, 0: none */
    char *bytes;
    size_t slots, block_size;
};

/* Empties it and sets the size of a block, in bytes; free it with cache_free. */
void cache_reset(struct cache *cache, size_t block_size) NONNULL(1);

/* The bytes of a block, valid until the next call that changes the cache; NULL: not held. */
const char *cache_find(const struct cache *cache, uint64_t block) NONNULL(1);

/* Keeps a block. */
void cache_put(struct cache *cache, uint64_t block, const void *bytes) NONNULL(1, 3);

/* Forgets the blocks that n bytes at a position lie in. */
void cache_drop(struct cache *cache, uint64_t at, uint64_t n) NONNULL(1);

/* Frees what it holds. */
void cache_free(struct cache *cache) NONNULL(1);

#endif
