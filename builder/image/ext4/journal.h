/* The journal of a file system that was not unmounted: what recovery would write to its blocks is
 * put over what is read of them. */
#ifndef NB_BUILDER_EXT4_JOURNAL_H
#define NB_BUILDER_EXT4_JOURNAL_H

#include "builder/image/ext4/ext4.h"

struct journal;

/* Reads the file system's journal; NULL in *out: it holds nothing. journal_free frees it. */
int journal_read(ext2_filsys fs, struct journal **out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Puts it over n bytes that were read at a position of the file system, which begins at `start` of
 * the disk. `journal` may be NULL. */
int journal_apply(const struct journal *journal, struct blocks *blocks, uint64_t start, uint64_t at,
                  void *bytes, size_t n, struct error *err) NONNULL(2, 5, 7) MUST_CHECK;

/* Frees it; NULL is allowed. */
void journal_free(struct journal *journal);

#endif
