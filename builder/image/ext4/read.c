#include "builder/image/ext4/content.h"
#include "builder/image/ext4/directory.h"

int ext4_read(struct disk *disk, const char *path, size_t max, struct buffer *out,
              struct error *err)
{
    struct place place;
    struct node node AUTO_NODE = {.fs = NULL};
    int found = ext4_find(disk, path, true, &place, err);
    if (found <= 0)
        return found < 0 ? error_context(err, "read")
                         : error_set(err, "read %s: No such file or directory", path);
    if (node_read(place.volume->fs, place.ino, &node, err) < 0)
        return error_context(err, "read %s", path);
    if (!LINUX_S_ISREG(node.raw->i_mode))
        return error_set(err, "read %s: not a regular file", path);
    if (content_read(&node, max, out, err) < 0)
        return error_context(err, "read %s", path);
    return 0;
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
