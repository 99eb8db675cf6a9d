/* What put makes of the file system: a file that has one name keeps its inode, and its blocks when
 * they are as many as the new content takes. So a later put of as many blocks gives the bytes that
 * a put into the base gives. A directory gets the entry's time when names in it change: the outcome
 * is the same whether the directory or what is in it is put first. */
#include <string.h>

#include "builder/heap.h"
#include "builder/image/ext4/attributes.h"
#include "builder/image/ext4/content.h"
#include "builder/image/ext4/directory.h"

/* One call of put. */
struct put {
    ext2_filsys fs;
    ext2_ino_t parent;
    const char *name;
    const struct entry *entry;
    time_t mtime;
    const struct source *source;
    struct progress *progress; /* may be NULL */
    bool there;                /* a name that is there: */
    struct node old;
};

static char *parent_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? heap_copy("/") : heap_printf("%.*s", (int)(slash - path), path);
}

/* Finds the directory, made with its missing parents if need be. */
static int make_directory(struct disk *disk, const char *path, mode_t mode, time_t mtime,
                          struct place *out, struct error *err)
{
    struct place parent;
    int found = ext4_find_directory(disk, path, out, err);
    if (found)
        return found > 0 ? 0 : -1;
    char *above AUTO_FREE = parent_path(path);
    if (make_directory(disk, above, 0755, mtime, &parent, err) < 0)
        return -1;
    *out = (struct place){.volume = parent.volume};
    if (directory_make(parent.volume->fs, parent.ino, strrchr(path, '/') + 1, mode, mtime,
                       &out->ino, err) < 0)
        return error_context(err, "make directory %s", path);
    return 0;
}

static int put_directory(struct disk *disk, const struct entry *entry, time_t mtime,
                         struct error *err)
{
    struct place place;
    struct node node AUTO_NODE = {.fs = NULL};
    if (make_directory(disk, entry->path, entry->mode, mtime, &place, err) < 0)
        return -1;
    ext2_filsys fs = place.volume->fs;
    if (ext4_begin(fs, err) < 0 || node_read(fs, place.ino, &node, err) < 0)
        return error_context(err, "set mode and owner of %s", entry->path);
    node_set_owner(&node, entry->mode, entry->uid, entry->gid);
    node_set_mtime(&node, mtime);
    if (node_write(&node, err) < 0 || attributes_set(&node, entry, err) < 0)
        return error_context(err, "set mode and owner of %s", entry->path);
    return 0;
}

/* Fills a node that has the blocks for a file, or that has no content, and sets all else. */
static int complete(const struct put *put, struct node *node, bool has_blocks, struct error *err)
{
    const struct entry *entry = put->entry;
    bool link = entry->type == ENTRY_LINK;
    if (link && content_store_link(node, put->source, err) < 0)
        return -1;
    if (!link && !has_blocks && content_allocate(node, put->source->size, err) < 0)
        return -1;
    if (!link && content_fill(node, put->source, put->progress, err) < 0)
        return -1;
    node_set_owner(node, link ? 0777 : entry->mode, entry->uid, entry->gid);
    node_set_times(node, put->mtime);
    if (!link)
        ext2fs_inode_size_set(put->fs, EXT2_INODE(node->raw), (ext2_off64_t)put->source->size);
    if (node_write(node, err) < 0)
        return -1;
    return attributes_set(node, entry, err);
}

static unsigned type_of(const struct entry *entry)
{
    return entry->type == ENTRY_LINK ? LINUX_S_IFLNK : LINUX_S_IFREG;
}

/* Has the file exactly the blocks that the new content takes, and nothing special about it? */
static bool has_blocks_for(const struct put *put, const struct map *map)
{
    const __u32 plain = EXT4_EXTENTS_FL | EXT4_HUGE_FILE_FL | EXT2_NODUMP_FL | EXT2_NOATIME_FL;
    const struct ext2_inode_large *raw = put->old.raw;
    uint64_t block = put->fs->blocksize, next = 0;
    if (put->entry->type != ENTRY_FILE || !LINUX_S_ISREG(raw->i_mode) || raw->i_flags & ~plain)
        return false;
    for (size_t i = 0; i < map->data.count; i++) {
        if (map->data.items[i].logical != next || !map->data.items[i].written)
            return false;
        next += map->data.items[i].count;
    }
    return next == (put->source->size + block - 1) / block;
}

/* Into the inode that the name has. */
static int rewrite(struct put *put, struct error *err)
{
    struct map map AUTO_MAP = {.data = {.count = 0}};
    struct error ignored = ERROR_INIT;
    struct node *node = &put->old;
    int file_type = node_file_type(node);
    if (map_read(node, &map, err) < 0)
        return -1;
    bool keep = has_blocks_for(put, &map);
    if (!keep && content_check_room(node, put->source->size, &map, err) < 0)
        return -1;
    if (attributes_release(node, err) < 0 || (!keep && content_release(node, err) < 0))
        return -1;
    node_reset(node, type_of(put->entry));
    if (complete(put, node, keep, err) < 0) {
        /* Half a file helps nobody; an empty one keeps the file system whole. */
        if (content_release(node, &ignored) < 0)
            error_context(err, "%s", ignored.text);
        return -1;
    }
    if (node_file_type(node) == file_type)
        return 0;
    return directory_replace(put->fs, put->parent, put->name, node, put->mtime, err);
}

/* Gives a node the name, in place of what has it. */
static int name_node(struct put *put, const struct node *node, struct error *err)
{
    return put->there ? directory_replace(put->fs, put->parent, put->name, node, put->mtime, err)
                      : directory_add(put->fs, put->parent, put->name, node, put->mtime, err);
}

/* The inode that had the name before has one less. */
static int release_old(const struct put *put, struct error *err)
{
    return put->there ? content_unlink(put->fs, put->old.ino, err) : 0;
}

/* Into a new inode. */
static int create(struct put *put, struct error *err)
{
    struct node node AUTO_NODE = {.fs = NULL};
    struct error ignored = ERROR_INIT;
    if (node_create(put->fs, put->parent, type_of(put->entry), &node, err) < 0)
        return -1;
    if (complete(put, &node, false, err) == 0 && name_node(put, &node, err) == 0)
        return release_old(put, err);
    if (content_discard(&node, &ignored) < 0)
        error_context(err, "%s", ignored.text);
    return -1;
}

static int put_hard_link(struct disk *disk, struct put *put, struct error *err)
{
    struct place place;
    struct node node AUTO_NODE = {.fs = NULL};
    const char *target = put->entry->target;
    int found = ext4_find(disk, target, false, &place, err);
    if (found <= 0)
        return found < 0 ? -1 : error_set(err, "%s is not there", target);
    if (place.volume->fs != put->fs)
        return error_set(err, "%s is in another file system", target);
    if (put->there && place.ino == put->old.ino)
        return 0;
    if (node_read(put->fs, place.ino, &node, err) < 0)
        return -1;
    if (LINUX_S_ISDIR(node.raw->i_mode))
        return error_set(err, "%s is a directory", target);
    if (node.raw->i_links_count >= EXT2_LINK_MAX)
        return error_set(err, "%s has %u names, more cannot be counted", target,
                         node.raw->i_links_count);
    node.raw->i_links_count++;
    node_set_changed(&node);
    if (node_write(&node, err) < 0)
        return -1;
    if (name_node(put, &node, err) == 0)
        return release_old(put, err);
    struct error ignored = ERROR_INIT;
    node.raw->i_links_count--;
    if (node_write(&node, &ignored) < 0)
        error_context(err, "%s", ignored.text);
    return -1;
}

static int put_replacing(struct disk *disk, struct put *put, struct error *err)
{
    const struct entry *entry = put->entry;
    struct node parent AUTO_NODE = {.fs = NULL};
    ext2_ino_t ino = 0;
    if (!*put->name)
        return error_set(err, "%s is a directory", entry->path);
    if (ext4_begin(put->fs, err) < 0 || node_read(put->fs, put->parent, &parent, err) < 0)
        return -1;
    int found = directory_find(&parent, put->name, &ino, err);
    if (found < 0 || (found && node_read(put->fs, ino, &put->old, err) < 0))
        return -1;
    put->there = found;
    if (found && LINUX_S_ISDIR(put->old.raw->i_mode))
        return error_set(err, "%s is a directory, and cannot be replaced by a %s", entry->path,
                         entry->type == ENTRY_FILE ? "file" : "link");
    if (entry->type == ENTRY_HARDLINK)
        return put_hard_link(disk, put, err);
    return found && put->old.raw->i_links_count == 1 ? rewrite(put, err) : create(put, err);
}

int ext4_put(struct disk *disk, const struct entry *entry, time_t mtime, struct progress *progress,
             struct error *err)
{
    struct source source AUTO_SOURCE = {.fd = -1};
    struct place parent;
    if (attributes_check(entry, err) < 0)
        return error_context(err, "write %s", entry->path);
    if (entry->type == ENTRY_DIR)
        return put_directory(disk, entry, mtime, err);
    char *above AUTO_FREE = parent_path(entry->path);
    if (source_open(entry, &source, err) < 0 ||
        make_directory(disk, above, 0755, mtime, &parent, err) < 0)
        return -1;
    struct put put = {.fs = parent.volume->fs,
                      .parent = parent.ino,
                      .name = strrchr(entry->path, '/') + 1,
                      .entry = entry,
                      .mtime = mtime,
                      .source = &source,
                      .progress = progress};
    int result = put_replacing(disk, &put, err);
    node_free(&put.old);
    if (result < 0)
        return entry->host ? error_context(err, "write %s from %s", entry->path, entry->host)
                           : error_context(err, "write %s", entry->path);
    return 0;
}
