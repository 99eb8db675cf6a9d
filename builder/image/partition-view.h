/* A descriptor through which libblkid sees a disk: a raw file itself, or a sparse copy in memory
 * of those parts of a qcow2 image that it is to look at. */
#ifndef NB_BUILDER_PARTITION_VIEW_H
#define NB_BUILDER_PARTITION_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/image/blocks.h"
#include "common/attributes.h"
#include "common/error.h"

struct view {
    struct blocks *blocks;
    int fd;
    bool copy; /* what was not shown reads as zeros */
};

/* Opens a view of the disk; of a copy nothing is shown yet. */
int view_open(struct blocks *blocks, struct view *view, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Shows n bytes at an offset, as far as the disk has them. */
int view_show(struct view *view, uint64_t at, uint64_t n, struct error *err)
    NONNULL(1, 4) MUST_CHECK;

/* Closes it. */
void view_close(struct view *view);
#define AUTO_VIEW __attribute__((cleanup(view_close)))

#endif
