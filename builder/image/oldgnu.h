/* The headers of a sparse file in a tar archive of the old GNU format. */
#ifndef NB_BUILDER_OLDGNU_H
#define NB_BUILDER_OLDGNU_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/attributes.h"

enum { OLDGNU_BLOCK = 512, OLDGNU_RECORD = 20 * OLDGNU_BLOCK };

/* A piece of the file that the archive holds; between pieces are zeros. */
struct oldgnu_region {
    uint64_t at, n; /* bytes: multiples of OLDGNU_BLOCK */
};

/* The file, as root's, 0644. */
struct oldgnu_file {
    const char *name; /* at most 99 bytes */
    time_t mtime;
    uint64_t size;                       /* bytes, holes included: a multiple of OLDGNU_BLOCK */
    const struct oldgnu_region *regions; /* by offset, apart */
    size_t count;
};

/* How many blocks the headers are. */
size_t oldgnu_blocks(const struct oldgnu_file *file) NONNULL(1);

/* Writes the n-th of them. Behind the last follow the regions' bytes. */
void oldgnu_block(const struct oldgnu_file *file, size_t n, unsigned char block[OLDGNU_BLOCK])
    NONNULL(1, 3);

#endif
