#include "builder/image/ext4/map.h"

#include <stdlib.h>

#include "builder/heap.h"

/* The map of a damaged inode could go on for ever. */
static int add_run(ext2_filsys fs, struct runs *runs, struct run run, struct error *err)
{
    struct run *last = runs->count ? &runs->items[runs->count - 1] : NULL;
    uint64_t all = ext2fs_blocks_count(fs->super);
    if (run.physical < fs->super->s_first_data_block || run.physical >= all ||
        run.count > all - run.physical || run.count > all - runs->blocks)
        return error_set(err, "it has blocks that cannot be");
    runs->blocks += run.count;
    if (last && last->logical + last->count == run.logical &&
        last->physical + last->count == run.physical && last->written == run.written)
        last->count += run.count;
    else
        *APPEND(runs->items, runs->count, runs->cap) = run;
    return 0;
}

static int add_extent(const struct node *node, struct map *map, const struct ext2fs_extent *extent,
                      uint64_t *end, struct error *err)
{
    struct run run = {.logical = extent->e_lblk,
                      .physical = extent->e_pblk,
                      .count = extent->e_len,
                      .written = !(extent->e_flags & EXT2_EXTENT_FLAGS_UNINIT)};
    if (extent->e_flags & EXT2_EXTENT_FLAGS_SECOND_VISIT)
        return 0;
    if (!(extent->e_flags & EXT2_EXTENT_FLAGS_LEAF)) {
        run.count = 1;
        run.logical = map->tree.blocks;
        return add_run(node->fs, &map->tree, run, err);
    }
    if (!run.count || run.logical < *end)
        return error_set(err, "its extents are not in order");
    *end = run.logical + run.count;
    return add_run(node->fs, &map->data, run, err);
}

static int read_extents(const struct node *node, struct map *map, struct error *err)
{
    ext2_extent_handle_t handle;
    struct ext2fs_extent extent;
    uint64_t end = 0;
    int result = 0;
    errcode_t code = ext2fs_extent_open2(node->fs, node->ino, EXT2_INODE(node->raw), &handle);
    if (code)
        return ext4_error(err, code, "read the extents");
    code = ext2fs_extent_get(handle, EXT2_EXTENT_ROOT, &extent);
    while (!code && result == 0) {
        result = add_extent(node, map, &extent, &end, err);
        if (result == 0)
            code = ext2fs_extent_get(handle, EXT2_EXTENT_NEXT, &extent);
    }
    ext2fs_extent_free(handle);
    if (code && code != EXT2_ET_EXTENT_NO_NEXT)
        return ext4_error(err, code, "read the extents");
    return result;
}

struct walk {
    struct map *map;
    struct error *err;
    int result;
};

static int add_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t logical, blk64_t in, int at,
                     void *opaque)
{
    struct walk *walk = opaque;
    (void)in, (void)at;
    struct runs *runs = logical < 0 ? &walk->map->tree : &walk->map->data;
    struct run run = {.physical = *block, .count = 1, .written = true};
    run.logical = logical < 0 ? runs->blocks : (uint64_t)logical;
    walk->result = add_run(fs, runs, run, walk->err);
    return walk->result < 0 ? BLOCK_ABORT : 0;
}

static int read_blocks(const struct node *node, struct map *map, struct error *err)
{
    struct walk walk = {.map = map, .err = err};
    errcode_t code =
        ext2fs_block_iterate3(node->fs, node->ino, BLOCK_FLAG_READ_ONLY, NULL, add_block, &walk);
    if (code && walk.result == 0)
        return ext4_error(err, code, "read the indirect blocks");
    return walk.result;
}

int map_read(const struct node *node, struct map *out, struct error *err)
{
    struct map map AUTO_MAP = {.data = {.count = 0}};
    if (ext2fs_inode_has_valid_blocks2(node->fs, EXT2_INODE(node->raw))) {
        int result = node->raw->i_flags & EXT4_EXTENTS_FL ? read_extents(node, &map, err)
                                                          : read_blocks(node, &map, err);
        if (result < 0)
            return error_context(err, "inode %u", node->ino);
    }
    *out = map;
    map = (struct map){.data = {.count = 0}};
    return 0;
}

void map_free(struct map *map)
{
    free(map->data.items);
    free(map->tree.items);
    *map = (struct map){.data = {.count = 0}};
}
