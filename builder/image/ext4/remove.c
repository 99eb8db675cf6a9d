#include <string.h>

#include "builder/image/ext4/attributes.h"
#include "builder/image/ext4/content.h"
#include "builder/image/ext4/io.h"

static int zero_runs(ext2_filsys fs, const struct runs *runs, struct error *err)
{
    for (size_t i = 0; i < runs->count; i++)
        if (ext4_io_zero(fs, runs->items[i].physical * fs->blocksize,
                         runs->items[i].count * fs->blocksize, err) < 0)
            return -1;
    return 0;
}

static void free_runs(ext2_filsys fs, const struct runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        ext2fs_block_alloc_stats_range(fs, runs->items[i].physical, (blk_t)runs->items[i].count,
                                       -1);
}

/* Not through ext2fs_punch: that of e2fsprogs 1.47.0 refuses the last block of a file system, with
 * the map changed already. */
int content_release(struct node *node, struct error *err)
{
    ext2_filsys fs = node->fs;
    struct ext2_inode_large *raw = node->raw;
    struct map map AUTO_MAP = {.data = {.count = 0}};
    if (map_read(node, &map, err) < 0 ||
        (node_is_secret(node) &&
         (zero_runs(fs, &map.data, err) < 0 || zero_runs(fs, &map.tree, err) < 0)))
        return -1;
    memset(raw->i_block, 0, sizeof raw->i_block);
    raw->i_flags &=
        ~(__u32)(EXT4_EXTENTS_FL | EXT4_INLINE_DATA_FL | EXT4_HUGE_FILE_FL | EXT4_VERITY_FL);
    raw->i_size = raw->i_size_high = 0;
    raw->i_blocks = 0;
    raw->osd2.linux2.l_i_blocks_hi = 0;
    if (ext2fs_file_acl_block(fs, EXT2_INODE(raw)))
        ext2fs_iblk_set(fs, EXT2_INODE(raw), 1);
    if (node_write(node, err) < 0)
        return -1;
    free_runs(fs, &map.data);
    free_runs(fs, &map.tree);
    return 0;
}

int content_discard(struct node *node, struct error *err)
{
    if (content_release(node, err) < 0 || attributes_release(node, err) < 0)
        return -1;
    return node_destroy(node, err);
}

int content_unlink(ext2_filsys fs, ext2_ino_t ino, struct error *err)
{
    struct node node AUTO_NODE = {.fs = fs};
    if (node_read(fs, ino, &node, err) < 0)
        return -1;
    if (node.raw->i_links_count == 1)
        return content_discard(&node, err);
    node.raw->i_links_count--;
    node_set_changed(&node);
    return node_write(&node, err);
}
