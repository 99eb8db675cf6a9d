/* What remove takes out of the file system. All of it is zeroed, whoever could read it: host keys
 * are the owner's, but logs and caches tell of the machine, too, and zeros compress well. */
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/ext4/content.h"
#include "builder/image/ext4/directory.h"

/* More would be a loop, or nothing that a path could name. */
enum { DEPTH_MAX = 512 };

static int drop(ext2_filsys fs, ext2_ino_t ino, unsigned depth, struct error *err);

struct inodes {
    ext2_ino_t *items;
    size_t count, cap;
};

/* `kind` is wrong in directories inside of their inode. */
static int add_inode(ext2_ino_t directory, int kind, struct ext2_dir_entry *entry, int offset,
                     int block_size, char *block, void *opaque)
{
    struct inodes *inodes = opaque;
    int length = ext2fs_dirent_name_len(entry);
    (void)directory, (void)kind, (void)offset, (void)block_size, (void)block;
    if (length > 2 || strncmp(entry->name, "..", (size_t)length) != 0)
        *APPEND(inodes->items, inodes->count, inodes->cap) = entry->inode;
    return 0;
}

/* libext2fs walks the map of a directory without a bound: map_read has one. */
static int list_inodes(const struct node *directory, struct inodes *out, struct error *err)
{
    struct map map AUTO_MAP = {.data = {.count = 0}};
    if (map_read(directory, &map, err) < 0)
        return -1;
    errcode_t code = ext2fs_dir_iterate2(directory->fs, directory->ino, 0, NULL, add_inode, out);
    return code ? ext4_error(err, code, "read directory inode %u", directory->ino) : 0;
}

/* The names stay: their directory goes, too. */
static int drop_children(const struct node *directory, unsigned depth, struct error *err)
{
    struct inodes inodes = {.count = 0};
    int result = depth < DEPTH_MAX
                     ? list_inodes(directory, &inodes, err)
                     : error_set(err, "more than %d directories lie in each other", DEPTH_MAX);
    for (size_t i = 0; i < inodes.count && result == 0; i++)
        result = drop(directory->fs, inodes.items[i], depth + 1, err);
    free(inodes.items);
    return result < 0 ? -1 : 0;
}

/* Takes one name from an inode; of a directory, with all that is in it. */
static int drop(ext2_filsys fs, ext2_ino_t ino, unsigned depth, struct error *err)
{
    struct node node AUTO_NODE = {.fs = NULL};
    if (node_read(fs, ino, &node, err) < 0)
        return -1;
    bool directory = LINUX_S_ISDIR(node.raw->i_mode);
    if (!directory && node.raw->i_links_count > 1)
        return content_unlink(fs, ino, err);
    if (directory && drop_children(&node, depth, err) < 0)
        return -1;
    node_set_owner(&node, 0, 0, 0); /* a secret now */
    return content_discard(&node, err);
}

/* Mount points are known by their names only. */
static int refuse_mounts(const struct disk *disk, const char *path, struct error *err)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < disk->volume_count; i++) {
        const char *dir = disk->volumes[i].dir;
        if (strncmp(dir, path, len) == 0 && (!dir[len] || dir[len] == '/'))
            return error_set(err, "the file system %s is mounted there", dir);
    }
    return 0;
}

static int remove_name(ext2_filsys fs, ext2_ino_t parent, const char *name, time_t mtime,
                       struct error *err)
{
    struct node node AUTO_NODE = {.fs = NULL}, child AUTO_NODE = {.fs = NULL};
    ext2_ino_t ino = 0;
    if (node_read(fs, parent, &node, err) < 0)
        return -1;
    if (!LINUX_S_ISDIR(node.raw->i_mode))
        return 0;
    int found = directory_find(&node, name, &ino, err);
    if (found <= 0)
        return found;
    if (ext4_begin(fs, err) < 0 || node_read(fs, ino, &child, err) < 0 || drop(fs, ino, 0, err) < 0)
        return -1;
    return directory_remove(fs, parent, name, LINUX_S_ISDIR(child.raw->i_mode), mtime, err);
}

int ext4_remove(struct disk *disk, const char *path, time_t mtime, struct error *err)
{
    struct place parent;
    const char *name = strrchr(path, '/') + 1;
    char *above AUTO_FREE = heap_printf("%.*s", (int)(name - path), path);
    int found =
        refuse_mounts(disk, path, err) < 0 ? -1 : ext4_find(disk, above, true, &parent, err);
    if (found > 0)
        found = remove_name(parent.volume->fs, parent.ino, name, mtime, err);
    return found < 0 ? error_context(err, "remove %s", path) : 0;
}
