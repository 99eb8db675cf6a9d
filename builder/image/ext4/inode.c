#include "builder/image/ext4/inode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

static void node_open(ext2_filsys fs, ext2_ino_t ino, struct node *out)
{
    size_t size = EXT2_INODE_SIZE(fs->super);
    *out = (struct node){.fs = fs, .ino = ino, .size = size};
    out->raw = heap_array(1, size > sizeof *out->raw ? size : sizeof *out->raw);
}

/* Bytes of the extra fields; 0 in inodes of 128 bytes. */
static size_t wanted_extra(const struct node *node)
{
    size_t known = sizeof(struct ext2_inode_large) - EXT2_GOOD_OLD_INODE_SIZE;
    size_t room = node->size - EXT2_GOOD_OLD_INODE_SIZE;
    size_t wanted = node->fs->super->s_want_extra_isize & ~3U;
    if (!wanted || wanted > known)
        wanted = known;
    return wanted < room ? wanted : room;
}

static size_t extra_of(const struct node *node)
{
    return node->size > EXT2_GOOD_OLD_INODE_SIZE ? node->raw->i_extra_isize : 0;
}

int ext4_begin(ext2_filsys fs, struct error *err)
{
    /* The time of the last write is that of this change, also when no block is allocated. */
    ext2fs_mark_super_dirty(fs);
    errcode_t code = fs->block_map && fs->inode_map ? 0 : ext2fs_read_bitmaps(fs);
    return code ? ext4_error(err, code, "read the bitmaps") : 0;
}

static bool is_usable(const struct node *node)
{
    size_t extra = extra_of(node);
    return node->raw->i_links_count && !node->raw->i_dtime && !(extra & 3) &&
           extra <= node->size - EXT2_GOOD_OLD_INODE_SIZE;
}

int node_reread(struct node *node, struct error *err)
{
    errcode_t code =
        ext2fs_read_inode_full(node->fs, node->ino, EXT2_INODE(node->raw), (int)node->size);
    return code ? ext4_error(err, code, "read inode %u", node->ino) : 0;
}

int node_read(ext2_filsys fs, ext2_ino_t ino, struct node *out, struct error *err)
{
    bool reserved = ino < EXT2_FIRST_INODE(fs->super) && ino != EXT2_ROOT_INO;
    if (!ino || reserved || ino > fs->super->s_inodes_count)
        return error_set(err, "inode %u, which a directory points at, cannot be there", ino);
    struct node node AUTO_NODE = {.fs = fs};
    node_open(fs, ino, &node);
    if (node_reread(&node, err) < 0)
        return -1;
    if (!is_usable(&node))
        return error_set(err, "inode %u, which a directory points at, is not in use or damaged",
                         ino);
    *out = node;
    node.raw = NULL;
    return 0;
}

int node_create(ext2_filsys fs, ext2_ino_t near, unsigned type, struct node *out, struct error *err)
{
    ext2_ino_t ino = 0;
    errcode_t code = ext2fs_new_inode(fs, near, (int)type, NULL, &ino);
    if (code == EXT2_ET_INODE_ALLOC_FAIL)
        return error_set(err, "all %u inodes of the file system are in use",
                         fs->super->s_inodes_count);
    if (code)
        return ext4_error(err, code, "find a free inode");
    ext2fs_inode_alloc_stats2(fs, ino, 1, LINUX_S_ISDIR(type));
    node_open(fs, ino, out);
    node_reset(out, type);
    /* What stood in its slot before must not be taken for its map. */
    return node_write(out, err);
}

void node_reset(struct node *node, unsigned type)
{
    struct ext2_inode_large *raw = node->raw, old = *raw;
    memset(raw, 0, node->size);
    raw->i_mode = (__u16)(type | 0600);
    raw->i_links_count = 1;
    /* Checksums of the blocks that map the content depend on it. */
    raw->i_generation = old.i_generation;
    raw->i_flags = old.i_flags & (EXT4_EXTENTS_FL | EXT4_HUGE_FILE_FL);
    raw->i_blocks = old.i_blocks;
    raw->osd2.linux2.l_i_blocks_hi = old.osd2.linux2.l_i_blocks_hi;
    raw->i_size = old.i_size;
    raw->i_size_high = old.i_size_high;
    memcpy(raw->i_block, old.i_block, sizeof raw->i_block);
    if (node->size > EXT2_GOOD_OLD_INODE_SIZE)
        raw->i_extra_isize = (__u16)wanted_extra(node);
}

int node_write(const struct node *node, struct error *err)
{
    errcode_t code =
        ext2fs_write_inode_full(node->fs, node->ino, EXT2_INODE(node->raw), (int)node->size);
    return code ? ext4_error(err, code, "write inode %u", node->ino) : 0;
}

int node_destroy(struct node *node, struct error *err)
{
    bool directory = LINUX_S_ISDIR(node->raw->i_mode);
    memset(node->raw, 0, node->size);
    ext2fs_inode_alloc_stats2(node->fs, node->ino, -1, directory);
    return node_write(node, err);
}

void node_set_owner(struct node *node, mode_t mode, uid_t uid, gid_t gid)
{
    struct ext2_inode_large *raw = node->raw;
    raw->i_mode = (__u16)((raw->i_mode & LINUX_S_IFMT) | (mode & 07777));
    raw->i_uid = (__u16)uid;
    raw->i_gid = (__u16)gid;
    raw->osd2.linux2.l_i_uid_high = (__u16)(uid >> 16);
    raw->osd2.linux2.l_i_gid_high = (__u16)(gid >> 16);
}

/* 32 bits of seconds, signed; the extra field has two more above them, and nanoseconds. */
static void set_time(const struct node *node, __u32 *seconds, __u32 *extra, time_t time)
{
    size_t end = (size_t)((char *)(extra + 1) - (char *)node->raw);
    bool has_extra = end <= EXT2_GOOD_OLD_INODE_SIZE + extra_of(node);
    int64_t max = has_extra ? INT32_MAX + (3LL << 32) : INT32_MAX;
    int64_t t = time < INT32_MIN ? INT32_MIN : time > max ? max : time;
    *seconds = (__u32)t;
    if (has_extra)
        *extra = (__u32)((t - (int32_t)(uint32_t)t) >> 32) & 3;
}

void node_set_changed(struct node *node)
{
    set_time(node, &node->raw->i_ctime, &node->raw->i_ctime_extra, node->fs->now);
}

void node_set_mtime(struct node *node, time_t mtime)
{
    set_time(node, &node->raw->i_mtime, &node->raw->i_mtime_extra, mtime);
    node_set_changed(node);
}

void node_set_times(struct node *node, time_t mtime)
{
    struct ext2_inode_large *raw = node->raw;
    node_set_mtime(node, mtime);
    set_time(node, &raw->i_atime, &raw->i_atime_extra, mtime);
    size_t end = offsetof(struct ext2_inode_large, i_crtime_extra) + sizeof raw->i_crtime_extra;
    if (end <= EXT2_GOOD_OLD_INODE_SIZE + extra_of(node))
        set_time(node, &raw->i_crtime, &raw->i_crtime_extra, node->fs->now);
}

bool node_is_secret(const struct node *node)
{
    return LINUX_S_ISREG(node->raw->i_mode) && !(node->raw->i_mode & 077);
}

int node_file_type(const struct node *node)
{
    static const __u8 types[16] = {
        [LINUX_S_IFREG >> 12] = EXT2_FT_REG_FILE, [LINUX_S_IFDIR >> 12] = EXT2_FT_DIR,
        [LINUX_S_IFLNK >> 12] = EXT2_FT_SYMLINK,  [LINUX_S_IFCHR >> 12] = EXT2_FT_CHRDEV,
        [LINUX_S_IFBLK >> 12] = EXT2_FT_BLKDEV,   [LINUX_S_IFIFO >> 12] = EXT2_FT_FIFO,
        [LINUX_S_IFSOCK >> 12] = EXT2_FT_SOCK};
    return types[node->raw->i_mode >> 12];
}

void node_free(struct node *node)
{
    if (node->raw)
        explicit_bzero(node->raw, node->size);
    free(node->raw);
    node->raw = NULL;
}
