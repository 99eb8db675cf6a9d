#include "builder/image/ext4/content.h"

static uint64_t blocks_for(const struct node *node, uint64_t size)
{
    return size / node->fs->blocksize + (size % node->fs->blocksize != 0);
}

/* The first free blocks of [from, end]. */
static bool find_free(ext2_filsys fs, blk64_t from, blk64_t end, blk64_t want, blk64_t *start,
                      blk64_t *count)
{
    blk64_t used;
    if (from > end || ext2fs_find_first_zero_block_bitmap2(fs->block_map, from, end, start))
        return false;
    blk64_t last = want - 1 < end - *start ? *start + want - 1 : end;
    if (ext2fs_find_first_set_block_bitmap2(fs->block_map, *start, last, &used))
        used = last + 1;
    *count = used - *start;
    return true;
}

/* Blocks that the map of a file takes at most which lies in so many pieces, with an extent tree
 * that is half empty. */
static uint64_t map_cost(ext2_filsys fs, uint64_t blocks, uint64_t pieces)
{
    uint64_t cost = 0, inside = EXT2_NDIR_BLOCKS, fan = fs->blocksize / 4, items = blocks;
    if (ext2fs_has_feature_extents(fs->super)) {
        inside = 4;
        fan = (fs->blocksize - 16) / 12 / 2;
        items = pieces < blocks ? pieces : blocks;
    }
    while (items > inside) {
        items = items / fan + 1;
        cost += items;
    }
    return cost;
}

static uint64_t count_free_pieces(ext2_filsys fs)
{
    blk64_t from = fs->super->s_first_data_block, end = ext2fs_blocks_count(fs->super) - 1;
    blk64_t start, count;
    uint64_t pieces = 0;
    for (; find_free(fs, from, end, end, &start, &count); from = start + count)
        pieces++;
    return pieces;
}

int content_check_room(const struct node *node, uint64_t size, const struct map *freed,
                       struct error *err)
{
    ext2_filsys fs = node->fs;
    uint64_t blocks = blocks_for(node, size), room = ext2fs_free_blocks_count(fs->super);
    uint64_t cost = map_cost(fs, blocks, blocks);
    if (freed)
        room += freed->data.blocks + freed->tree.blocks;
    if (blocks <= room && cost <= room - blocks)
        return 0;
    /* Only a look at the free blocks tells how many pieces it will be. */
    uint64_t pieces = count_free_pieces(fs) + blocks / EXT_INIT_MAX_LEN + 1;
    if (freed)
        pieces += freed->data.count + freed->tree.count;
    cost = map_cost(fs, blocks, pieces);
    if (blocks <= room && cost <= room - blocks)
        return 0;
    return error_set(err, "no room: %llu blocks of %u bytes are needed and %llu are free",
                     (unsigned long long)(blocks + cost), fs->blocksize, (unsigned long long)room);
}

/* The first room in [from, end] for all that is wanted, or else the largest. */
static void find_best(ext2_filsys fs, blk64_t from, blk64_t end, blk64_t want, blk64_t *best,
                      blk64_t *best_count)
{
    blk64_t start, count;
    while (*best_count < want && find_free(fs, from, end, want, &start, &count)) {
        if (count > *best_count) {
            *best = start;
            *best_count = count;
        }
        from = start + count;
    }
}

/* In place of libext2fs' own search, which takes the first free block, however small the hole. */
static errcode_t find_range(ext2_filsys fs, int flags, blk64_t goal, blk64_t want, blk64_t *start,
                            blk64_t *count)
{
    blk64_t first = fs->super->s_first_data_block, end = ext2fs_blocks_count(fs->super) - 1;
    if (flags & EXT2_NEWRANGE_FIXED_GOAL)
        return EXT2_ET_BLOCK_ALLOC_FAIL;
    if (goal < first || goal > end)
        goal = first;
    *count = 0;
    find_best(fs, goal, end, want, start, count);
    if (goal > first)
        find_best(fs, first, goal - 1, want, start, count);
    return *count ? 0 : EXT2_ET_BLOCK_ALLOC_FAIL;
}

/* An empty map; all zeros would not do for the kernel where it expects extents. */
static errcode_t set_map(struct node *node)
{
    ext2_extent_handle_t handle;
    if (!ext2fs_has_feature_extents(node->fs->super))
        return 0;
    errcode_t code = ext2fs_extent_open2(node->fs, node->ino, EXT2_INODE(node->raw), &handle);
    if (!code)
        ext2fs_extent_free(handle);
    return code;
}

int content_allocate(struct node *node, uint64_t size, struct error *err)
{
    ext2_filsys fs = node->fs;
    if (content_check_room(node, size, NULL, err) < 0)
        return -1;
    errcode_t code = set_map(node);
    if (!code)
        code = ext2fs_inode_size_set(fs, EXT2_INODE(node->raw), (ext2_off64_t)size);
    /* libext2fs writes the inode while it grows. */
    if (!code && node_write(node, err) < 0)
        return -1;
    if (!code) {
        ext2fs_set_new_range_callback(fs, find_range, NULL);
        code = ext2fs_fallocate(fs, EXT2_FALLOCATE_FORCE_INIT, node->ino, EXT2_INODE(node->raw),
                                ~0ULL, 0, blocks_for(node, size));
        ext2fs_set_new_range_callback(fs, NULL, NULL);
    }
    return code ? ext4_error(err, code, "allocate %llu bytes", (unsigned long long)size) : 0;
}
