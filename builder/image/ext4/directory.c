#include "builder/image/ext4/directory.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/ext4/content.h"

/* Blocks that one more name can take: of the directory, of its index and of its map. */
enum { GROWTH_MAX = 8 };

/* libext2fs walks the map of a directory without a bound: here is one. */
static int check_directory(const struct node *directory, struct error *err)
{
    struct map map AUTO_MAP = {.data = {.count = 0}};
    return map_read(directory, &map, err);
}

int directory_find(const struct node *directory, const char *name, ext2_ino_t *out,
                   struct error *err)
{
    size_t length = strlen(name);
    if (length > EXT2_NAME_LEN)
        return error_set(err, "'%.16s…' is longer than the %d bytes that a name can have", name,
                         EXT2_NAME_LEN);
    if (check_directory(directory, err) < 0)
        return -1;
    errcode_t code = ext2fs_lookup(directory->fs, directory->ino, name, (int)length, NULL, out);
    if (code == EXT2_ET_FILE_NOT_FOUND)
        return 0;
    return code ? ext4_error(err, code, "read directory inode %u", directory->ino) : 1;
}

struct names {
    char **items;
    size_t count, cap;
    bool damaged;
};

static int add_name(ext2_ino_t directory, int kind, struct ext2_dir_entry *entry, int offset,
                    int block_size, char *block, void *opaque)
{
    struct names *names = opaque;
    (void)directory, (void)kind, (void)offset, (void)block_size, (void)block;
    int length = ext2fs_dirent_name_len(entry);
    char *name = heap_printf("%.*s", length, entry->name);
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        free(name);
        return 0;
    }
    *APPEND(names->items, names->count, names->cap) = name;
    names->damaged |= !length || strlen(name) != (size_t)length || strchr(name, '/');
    return names->damaged ? DIRENT_ABORT : 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int directory_list(const struct node *directory, struct buffer *out, struct error *err)
{
    struct names names = {.count = 0};
    if (check_directory(directory, err) < 0)
        return -1;
    errcode_t code = ext2fs_dir_iterate2(directory->fs, directory->ino, 0, NULL, add_name, &names);
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    for (size_t i = 0; i < names.count; i++) {
        if (!code && !names.damaged)
            buffer_add(out, names.items[i], strlen(names.items[i]) + 1);
        free(names.items[i]);
    }
    free(names.items);
    if (code)
        return ext4_error(err, code, "read directory inode %u", directory->ino);
    return names.damaged ? error_set(err, "directory inode %u is damaged", directory->ino) : 0;
}

static int touch(ext2_filsys fs, ext2_ino_t directory, int links, time_t mtime, struct error *err)
{
    struct node node AUTO_NODE = {.fs = fs};
    if (node_read(fs, directory, &node, err) < 0)
        return -1;
    /* 1 says that there are more than can be counted (dir_nlink). */
    if (links && node.raw->i_links_count != 1) {
        unsigned count = node.raw->i_links_count + (unsigned)links;
        node.raw->i_links_count = (__u16)(count > EXT2_LINK_MAX ? 1 : count);
    }
    node_set_mtime(&node, mtime);
    return node_write(&node, err);
}

/* libext2fs would leave a directory half grown when the room ends in between. */
static int check_growth(ext2_filsys fs, struct error *err)
{
    if (ext2fs_free_blocks_count(fs->super) < GROWTH_MAX)
        return error_set(err, "no room for its name: the file system is full");
    return 0;
}

static errcode_t grow(ext2_filsys fs, ext2_ino_t directory)
{
    struct ext2_inode inode;
    errcode_t code = ext2fs_read_inode(fs, directory, &inode);
    if (code)
        return code;
    /* Its index has grown in ext2fs_link already, as far as it can. */
    return inode.i_flags & EXT2_INDEX_FL ? EXT2_ET_DIR_NO_SPACE : ext2fs_expand_dir(fs, directory);
}

static int link_name(ext2_filsys fs, ext2_ino_t directory, const char *name,
                     const struct node *node, struct error *err)
{
    struct ext2_inode inode;
    errcode_t code = ext2fs_read_inode(fs, directory, &inode);
    if (!code && inode.i_flags & EXT2_INDEX_FL && check_growth(fs, err) < 0)
        return -1;
    if (!code)
        code = ext2fs_link(fs, directory, name, node->ino, node_file_type(node));
    if (code == EXT2_ET_DIR_NO_SPACE) {
        if (check_growth(fs, err) < 0)
            return -1;
        code = grow(fs, directory);
        if (!code)
            code = ext2fs_link(fs, directory, name, node->ino, node_file_type(node));
    }
    return code ? ext4_error(err, code, "add a name to directory inode %u", directory) : 0;
}

int directory_add(ext2_filsys fs, ext2_ino_t directory, const char *name, const struct node *node,
                  time_t mtime, struct error *err)
{
    if (link_name(fs, directory, name, node, err) < 0)
        return -1;
    return touch(fs, directory, LINUX_S_ISDIR(node->raw->i_mode), mtime, err);
}

struct replacement {
    const char *name;
    const struct node *node;
    bool done;
};

static int replace_name(ext2_ino_t directory, int kind, struct ext2_dir_entry *entry, int offset,
                        int block_size, char *block, void *opaque)
{
    struct replacement *r = opaque;
    (void)directory, (void)kind, (void)offset, (void)block_size, (void)block;
    size_t length = strlen(r->name);
    if ((size_t)ext2fs_dirent_name_len(entry) != length ||
        memcmp(entry->name, r->name, length) != 0)
        return 0;
    entry->inode = r->node->ino;
    if (ext2fs_has_feature_filetype(r->node->fs->super))
        ext2fs_dirent_set_file_type(entry, node_file_type(r->node));
    r->done = true;
    return DIRENT_CHANGED | DIRENT_ABORT;
}

int directory_replace(ext2_filsys fs, ext2_ino_t directory, const char *name,
                      const struct node *node, time_t mtime, struct error *err)
{
    struct replacement r = {.name = name, .node = node};
    errcode_t code = ext2fs_dir_iterate2(fs, directory, 0, NULL, replace_name, &r);
    if (!code && !r.done)
        code = EXT2_ET_FILE_NOT_FOUND;
    if (code)
        return ext4_error(err, code, "change directory inode %u", directory);
    return touch(fs, directory, 0, mtime, err);
}

int directory_remove(ext2_filsys fs, ext2_ino_t directory, const char *name, bool is_directory,
                     time_t mtime, struct error *err)
{
    errcode_t code = ext2fs_unlink(fs, directory, name, 0, 0);
    if (code)
        return ext4_error(err, code, "take a name out of directory inode %u", directory);
    return touch(fs, directory, -is_directory, mtime, err);
}

static int check_links(ext2_filsys fs, ext2_ino_t parent, struct error *err)
{
    struct ext2_inode inode;
    errcode_t code = ext2fs_read_inode(fs, parent, &inode);
    if (code)
        return ext4_error(err, code, "read inode %u", parent);
    if (inode.i_links_count >= EXT2_LINK_MAX && !ext2fs_has_feature_dir_nlink(fs->super))
        return error_set(err, "its parent holds %u directories, more cannot be counted",
                         inode.i_links_count - 2);
    return 0;
}

/* The block with "." and "..". */
static int write_first_block(const struct node *node, ext2_ino_t parent, struct error *err)
{
    blk64_t block = 0;
    char *bytes = NULL;
    errcode_t code =
        ext2fs_bmap2(node->fs, node->ino, EXT2_INODE(node->raw), NULL, 0, 0, NULL, &block);
    if (!code)
        code = ext2fs_new_dir_block(node->fs, node->ino, parent, &bytes);
    if (!code)
        code = ext2fs_write_dir_block4(node->fs, block, bytes, 0, node->ino);
    ext2fs_free_mem(&bytes);
    return code ? ext4_error(err, code, "write directory inode %u", node->ino) : 0;
}

static int fill_directory(struct node *node, ext2_ino_t parent, mode_t mode, time_t mtime,
                          struct error *err)
{
    if (content_allocate(node, node->fs->blocksize, err) < 0)
        return -1;
    node->raw->i_links_count = 2;
    node_set_owner(node, mode, 0, 0);
    node_set_times(node, mtime);
    if (node_write(node, err) < 0)
        return -1;
    return write_first_block(node, parent, err);
}

int directory_make(ext2_filsys fs, ext2_ino_t parent, const char *name, mode_t mode, time_t mtime,
                   ext2_ino_t *out, struct error *err)
{
    struct node node AUTO_NODE = {.fs = fs};
    struct error ignored = ERROR_INIT;
    if (ext4_begin(fs, err) < 0 || check_links(fs, parent, err) < 0 ||
        node_create(fs, parent, LINUX_S_IFDIR, &node, err) < 0)
        return -1;
    if (fill_directory(&node, parent, mode, mtime, err) < 0 ||
        directory_add(fs, parent, name, &node, mtime, err) < 0) {
        if (content_discard(&node, &ignored) < 0)
            error_context(err, "%s", ignored.text);
        return -1;
    }
    *out = node.ino;
    return 0;
}
