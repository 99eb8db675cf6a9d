/* The log of a journal (JBD2, big-endian): which blocks of its file system have a newer content
 * there. It is only read; nothing here knows a file system.
 *
 *     block 0: superblock │ first … descriptor, blocks…, commit, revokes, … │ last, then first
 * again
 */
#ifndef NB_BUILDER_EXT4_LOG_H
#define NB_BUILDER_EXT4_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/error.h"

/* Where the log lies. */
struct log_file {
    int (*read)(void *ctx, uint32_t at, void *bytes, struct error *err); /* one block */
    void *ctx;
    uint32_t block_size, blocks;
};

/* A block of the file system whose content is to be that of a block of the log. */
struct log_block {
    uint64_t block;
    uint32_t at;
    bool escaped; /* its first four bytes stand for the log's magic number */
};

struct log_blocks {
    struct log_block *items; /* sorted by block, each once */
    size_t count, cap;
};

/* Finds what complete transactions in the log hold; none when it is empty. Damage, and a kind of
 * log that is unknown here, are errors. */
int log_read(const struct log_file *file, struct log_blocks *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Puts the magic number back into the bytes of an escaped block. */
void log_unescape(void *bytes) NONNULL(1);

/* Frees what it holds. */
void log_blocks_free(struct log_blocks *blocks);
#define AUTO_LOG_BLOCKS __attribute__((cleanup(log_blocks_free)))

#endif
