/* Making an image larger, its root file system with it. */
#ifndef NB_BUILDER_GROW_H
#define NB_BUILDER_GROW_H

#include <stdint.h>
#include <time.h>

#include "common/attributes.h"
#include "common/error.h"

/* Makes the disk of a raw image `size` bytes large (whole MiB, at most 64 TiB), and the root
 * partition, which has to be the last one on it and ext2-4, with its file system as large as that
 * allows. `now` is recorded as the time of the change: the same disk, size and time give the same
 * bytes. A disk of that size already is left alone; a larger one is an error. The file system must
 * have passed ext4_check_whole. After a failure the image is to be thrown away. */
int image_grow(const char *raw, uint64_t size, time_t now, struct error *err)
    NONNULL(1, 4) MUST_CHECK;

#endif
