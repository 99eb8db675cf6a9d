/* Where the blocks of an inode lie. */
#ifndef NB_BUILDER_EXT4_MAP_H
#define NB_BUILDER_EXT4_MAP_H

#include "builder/image/ext4/inode.h"

/* Blocks that follow each other, in the file and in the file system. */
struct run {
    uint64_t logical, physical, count;
    bool written; /* else they read as zeros */
};

struct runs {
    struct run *items;
    size_t count, cap;
    uint64_t blocks; /* in all */
};

struct map {
    struct runs data; /* by logical block */
    struct runs tree; /* blocks of the extent tree, or indirect blocks */
};

/* Reads the map; one that cannot be is an error. An inode without blocks has an empty one. */
int map_read(const struct node *node, struct map *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Frees what it holds. */
void map_free(struct map *map);
#define AUTO_MAP __attribute__((cleanup(map_free)))

#endif
