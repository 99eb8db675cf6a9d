/* Maps of damaged inodes end in an error, not in somebody else's blocks. */
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/image/ext4/map.h"
#include "builder/progress.h"

/* Extents in a block. */
enum { FAN = 4096 / sizeof(struct ext3_extent) - 1 };

static void read_node(struct disk *disk, const char *path, struct node *out)
{
    struct error err = ERROR_INIT;
    struct place place = {.ino = 0};
    assert_int_equal(ext4_find(disk, path, false, &place, &err), 1);
    assert_int_equal(node_read(root_of(disk), place.ino, out, &err), 0);
}

static void expect_damage(struct node *node, const char *message)
{
    struct error err = ERROR_INIT;
    struct map map AUTO_MAP = {.data = {.count = 0}};
    assert_int_equal(node_write(node, &err), 0);
    assert_int_equal(map_read(node, &map, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
    assert_int_equal(map.data.count, 0);
}

static struct ext3_extent *extents_of(struct node *node)
{
    return (struct ext3_extent *)node->raw->i_block + 1;
}

static void set_extent(struct node *node, unsigned i, unsigned logical, unsigned physical,
                       unsigned count)
{
    extents_of(node)[i] =
        (struct ext3_extent){.ee_block = logical, .ee_start = physical, .ee_len = (__u16)count};
    ((struct ext3_extent_header *)node->raw->i_block)->eh_entries = (__u16)(i + 1);
}

static void extents_are_checked(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct map map AUTO_MAP = {.data = {.count = 0}};
    struct node node AUTO_NODE = {.fs = NULL};
    make_disk("disk.raw", 8, "-t ext4", "root");
    struct disk *disk = open_disk("disk.raw", true);
    unsigned all = (unsigned)ext2fs_blocks_count(root_of(disk)->super);
    read_node(disk, "/etc/file", &node);
    set_extent(&node, 0, 0, 1000, 4);
    set_extent(&node, 1, 4, 1004, 4);
    set_extent(&node, 2, 8, 1008, 0x8000 + 3);
    set_extent(&node, 3, 20, 100, 2);
    assert_int_equal(node_write(&node, &err), 0);
    assert_int_equal(map_read(&node, &map, &err), 0);
    assert_int_equal(map.data.count, 3);
    assert_int_equal(map.data.blocks, 13);
    assert_int_equal(map.data.items[0].count, 8);
    assert_true(map.data.items[0].written && !map.data.items[1].written);
    assert_int_equal(map.data.items[2].physical, 100);
    set_extent(&node, 3, 7, 2000, 2);
    expect_damage(&node, "its extents are not in order");
    set_extent(&node, 3, 20, 2000, 0);
    expect_damage(&node, "its extents are not in order");
    set_extent(&node, 3, 20, all - 1, 2);
    expect_damage(&node, "it has blocks that cannot be");
    set_extent(&node, 3, 20, all, 1);
    expect_damage(&node, "it has blocks that cannot be");
    node.raw->i_block[0] = 1;
    expect_damage(&node, "read the extents: ");
    close_disk(disk);
}

/* An index that is the parent of itself, or of one that has nothing. */
static void extent_trees_end(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct node node AUTO_NODE = {.fs = NULL};
    make_disk("disk.raw", 8, "-t ext4 -O ^metadata_csum", "root");
    struct disk *disk = open_disk("disk.raw", true);
    read_node(disk, "/etc/file", &node);
    struct ext3_extent_header *root = (struct ext3_extent_header *)node.raw->i_block;
    *root = (struct ext3_extent_header){
        .eh_magic = EXT3_EXT_MAGIC, .eh_entries = 4, .eh_max = 4, .eh_depth = 60000};
    for (unsigned i = 0; i < 4; i++)
        ((struct ext3_extent_idx *)root)[1 + i] = (struct ext3_extent_idx){.ei_leaf = 500};
    struct ext3_extent_header block[FAN + 2] = {*root};
    block[0].eh_max = block[0].eh_entries = FAN;
    for (size_t i = 1; i <= FAN; i++)
        memcpy(&block[i], &(struct ext3_extent_idx){.ei_leaf = 500}, sizeof block[i]);
    assert_int_equal(io_channel_write_blk64(root_of(disk)->io, 500, 1, block), 0);
    expect_damage(&node, "inode ");
    /* Each of them leads to all leaves again: a tree of 340^3. */
    root->eh_depth = 3;
    for (unsigned i = 0; i < 3; i++) {
        for (size_t j = 1; j <= FAN; j++)
            memcpy(&block[j], &(struct ext3_extent_idx){.ei_leaf = 501 + i}, sizeof block[j]);
        assert_int_equal(io_channel_write_blk64(root_of(disk)->io, 500 + i, 1, block), 0);
    }
    expect_damage(&node, "inode ");
    root->eh_depth = root->eh_entries = 0;
    assert_int_equal(node_write(&node, &err), 0);
    close_disk(disk);
}

static void indirect_blocks_are_checked(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct node node AUTO_NODE = {.fs = NULL};
    make_disk("disk.raw", 8, "-t ext2", "root");
    struct disk *disk = open_disk("disk.raw", true);
    read_node(disk, "/etc/file", &node);
    __u32 block = node.raw->i_block[0], many[1024];
    node.raw->i_block[1] = 1U << 31;
    expect_damage(&node, "it has blocks that cannot be");
    node.raw->i_block[1] = 0;
    node.raw->i_block[EXT2_IND_BLOCK] = 1U << 31;
    expect_damage(&node, "inode ");
    /* A block of blocks of blocks that are all the same. */
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = block;
    assert_int_equal(io_channel_write_blk64(root_of(disk)->io, block, 1, many), 0);
    node.raw->i_block[EXT2_IND_BLOCK] = 0;
    node.raw->i_block[EXT2_TIND_BLOCK] = block;
    expect_damage(&node, "it has blocks that cannot be");
    node.raw->i_block[EXT2_TIND_BLOCK] = 0;
    assert_int_equal(node_write(&node, &err), 0);
    close_disk(disk);
    check_disk("disk.raw");
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extents_are_checked),
        cmocka_unit_test(extent_trees_end),
        cmocka_unit_test(indirect_blocks_are_checked),
    };
    return cmocka_run_group_tests(tests, make_root, remove_folder);
}
