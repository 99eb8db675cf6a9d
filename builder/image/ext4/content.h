/* What files hold: its blocks are allocated, written and given back. */
#ifndef NB_BUILDER_EXT4_CONTENT_H
#define NB_BUILDER_EXT4_CONTENT_H

#include "builder/image/ext4/map.h"

/* Where content comes from. */
struct source {
    const void *bytes; /* in memory, or NULL: */
    int fd;            /* a file of exactly `size` bytes */
    uint64_t size;
};

/* Opens the content of an entry: of a file, or the target of a symbolic link. */
int source_open(const struct entry *entry, struct source *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Closes it. */
void source_close(struct source *source);
#define AUTO_SOURCE __attribute__((cleanup(source_close)))

/* ---- allocate.c ---- */

/* Is there room for `size` bytes in a node when the blocks of `freed` (NULL: none) are given back
 * before? */
int content_check_room(const struct node *node, uint64_t size, const struct map *freed,
                       struct error *err) NONNULL(1, 4) MUST_CHECK;

/* Allocates all blocks for `size` bytes, none of them written, for a node without content. After
 * a failure it may hold some; content_release gives them back. */
int content_allocate(struct node *node, uint64_t size, struct error *err) NONNULL(1, 3) MUST_CHECK;

/* ---- content.c ---- */

/* Fills a node that has exactly the blocks for it. Bytes behind the end are zeroed. */
int content_fill(struct node *node, const struct source *source, struct progress *progress,
                 struct error *err) NONNULL(1, 2, 4) MUST_CHECK;

/* Stores a symbolic link's target in a node without content. */
int content_store_link(struct node *node, const struct source *source, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Appends the content of a file or a symbolic link, at most max bytes. */
int content_read(const struct node *node, size_t max, struct buffer *out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Hands that content to the sink, piece by piece. */
int content_stream(const struct node *node, disk_sink *sink, void *ctx, struct error *err)
    NONNULL(1, 2, 4) MUST_CHECK;

/* ---- remove.c ---- */

/* Gives the blocks back, those of a secret file zeroed, and writes the node, which is empty then.
 */
int content_release(struct node *node, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Gives a node that has no name all back. */
int content_discard(struct node *node, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Takes one name from an inode; with the last one it goes. */
int content_unlink(ext2_filsys fs, ext2_ino_t ino, struct error *err) NONNULL(1, 3) MUST_CHECK;

#endif
