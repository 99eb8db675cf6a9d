#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/ext4/attributes.h"
#include "builder/image/ext4/content.h"
#include "builder/image/ext4/directory.h"

enum { TARGET_MAX = 4096 };

static int open_file(struct disk *disk, const char *path, struct node *node, struct error *err)
{
    struct place place;
    int found = ext4_find(disk, path, true, &place, err);
    if (found <= 0)
        return found < 0 ? error_context(err, "read")
                         : error_set(err, "read %s: No such file or directory", path);
    if (node_read(place.volume->fs, place.ino, node, err) < 0)
        return error_context(err, "read %s", path);
    if (!LINUX_S_ISREG(node->raw->i_mode))
        return error_set(err, "read %s: not a regular file", path);
    return 0;
}

int ext4_read(struct disk *disk, const char *path, size_t max, struct buffer *out,
              struct error *err)
{
    struct node node AUTO_NODE = {.fs = NULL};
    if (open_file(disk, path, &node, err) < 0)
        return -1;
    if (content_read(&node, max, out, err) < 0)
        return error_context(err, "read %s", path);
    return 0;
}

int ext4_stream(struct disk *disk, const char *path, disk_sink *sink, void *ctx, struct error *err)
{
    struct node node AUTO_NODE = {.fs = NULL};
    if (open_file(disk, path, &node, err) < 0)
        return -1;
    if (content_stream(&node, sink, ctx, err) < 0)
        return error_context(err, "read %s", path);
    return 0;
}

static int fill_item(const struct volume *volume, const struct node *node, struct disk_item *out,
                     struct error *err)
{
    const struct ext2_inode_large *raw = node->raw;
    out->mode = raw->i_mode;
    out->uid = inode_uid(*raw);
    out->gid = inode_gid(*raw);
    out->size = EXT2_I_SIZE(raw);
    out->id = (uint64_t)volume->partition.number << 32 | node->ino;
    if (LINUX_S_ISLNK(raw->i_mode)) {
        struct buffer target = buffer_heap();
        int result = content_read(node, TARGET_MAX, &target, err);
        out->target = target.data;
        if (result < 0)
            return -1;
    }
    return attributes_read(node, out, err);
}

int ext4_look(struct disk *disk, const char *path, struct disk_item *out, struct error *err)
{
    struct place place;
    struct node node AUTO_NODE = {.fs = NULL};
    struct disk_item item AUTO_ITEM = {.target = NULL};
    int found = ext4_find(disk, path, false, &place, err);
    if (found <= 0)
        return found;
    if (node_read(place.volume->fs, place.ino, &node, err) < 0 ||
        fill_item(place.volume, &node, &item, err) < 0)
        return error_context(err, "%s", path);
    disk_item_sort(&item);
    *out = item;
    item = (struct disk_item){.target = NULL};
    return 1;
}

int ext4_list(struct disk *disk, const char *path, struct buffer *out, struct error *err)
{
    struct place place;
    struct node node AUTO_NODE = {.fs = NULL};
    int found = ext4_find(disk, path, true, &place, err);
    if (found <= 0)
        return found < 0 ? error_context(err, "list") : 0;
    if (node_read(place.volume->fs, place.ino, &node, err) < 0)
        return error_context(err, "list %s", path);
    if (!LINUX_S_ISDIR(node.raw->i_mode))
        return error_set(err, "list %s: not a directory", path);
    if (directory_list(&node, out, err) < 0)
        return error_context(err, "list %s", path);
    return 0;
}

int ext4_exists(struct disk *disk, const char *path, struct error *err)
{
    struct place place;
    return ext4_find(disk, path, false, &place, err);
}
