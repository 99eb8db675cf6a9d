#include "builder/image/ext4/cache.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

enum { CACHE_BYTES = 1 << 20, CACHE_SLOTS_MIN = 16 };

void cache_reset(struct cache *cache, size_t block_size)
{
    cache_free(cache);
    cache->block_size = block_size;
    cache->slots = CACHE_BYTES / block_size;
    if (cache->slots < CACHE_SLOTS_MIN)
        cache->slots = CACHE_SLOTS_MIN;
    cache->blocks = heap_array(cache->slots, sizeof *cache->blocks);
    cache->bytes = heap_array(cache->slots, block_size);
}

const char *cache_find(const struct cache *cache, uint64_t block)
{
    size_t slot = block % cache->slots;
    return cache->blocks[slot] == block + 1 ? cache->bytes + slot * cache->block_size : NULL;
}

void cache_put(struct cache *cache, uint64_t block, const void *bytes)
{
    size_t slot = block % cache->slots;
    cache->blocks[slot] = block + 1;
    memcpy(cache->bytes + slot * cache->block_size, bytes, cache->block_size);
}

void cache_drop(struct cache *cache, uint64_t at, uint64_t n)
{
    if (!n)
        return;
    uint64_t first = at / cache->block_size, last = (at + n - 1) / cache->block_size;
    for (size_t i = 0; i < cache->slots; i++)
        if (cache->blocks[i] > first && cache->blocks[i] <= last + 1)
            cache->blocks[i] = 0;
}

/* What it holds may have been secret. */
void cache_free(struct cache *cache)
{
    if (cache->bytes)
        explicit_bzero(cache->bytes, cache->slots * cache->block_size);
    free(cache->blocks);
    free(cache->bytes);
    *cache = (struct cache){0};
}
