#include "builder/image/image.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/initramfs.h"
#include "builder/progress.h"
#include "common/file.h"

/* Spare room, so that the first boot still has some for logs: one in SPARE_PARTS of the sum. */
enum { BLOCK = 4096, XATTR_HEAD = 32, SPARE_PARTS = 20, INITRD_MODE = 0644, ROOMS_MAX = 16 };

/* Everything that image_write needs at hand. */
struct job {
    const struct disk_writer *writer;
    struct disk *disk;
    const struct base *base; /* NULL: initrds stay */
    const struct tree *tree;
    struct buffer *initrds; /* the new ones, in the order of the base */
};

/* A file system of the image, and what is going to be taken of it. */
struct room {
    char dir[PATH_MAX]; /* some directory of it */
    struct disk_space space;
    uint64_t bytes, inodes;
};

struct rooms {
    struct room items[ROOMS_MAX];
    size_t count;
    uint64_t content; /* bytes of all files */
};

static uint64_t whole_blocks(uint64_t bytes)
{
    return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

/* The content of a file that goes into the initramfs, too. */
static int content_of(const struct tree *tree, const char *path, struct buffer *out,
                      struct error *err)
{
    const struct entry *entry = tree_find(tree, path);
    if (!entry || entry->type != ENTRY_FILE)
        return error_set(err, "%s is not among the files of the image", path);
    if (entry->host)
        return file_read(AT_FDCWD, entry->host, INITRAMFS_PROGRAM_MAX, out, err);
    buffer_add(out, entry->text, entry->len);
    return 0;
}

static size_t initrd_count(const struct job *job)
{
    return job->base ? job->base->initrd_count : 0;
}

static int make_initrds(struct job *job, struct error *err)
{
    struct buffer firstboot AUTO_BUFFER = buffer_heap();
    struct buffer script AUTO_BUFFER = buffer_heap();
    if (content_of(job->tree, IMAGE_FIRSTBOOT, &firstboot, err) < 0 ||
        content_of(job->tree, IMAGE_INITRAMFS_SCRIPT, &script, err) < 0)
        return -1;
    struct initramfs_addition addition = {.firstboot = firstboot.data,
                                          .firstboot_len = firstboot.len,
                                          .script = script.data,
                                          .script_len = script.len,
                                          .mtime = job->tree->mtime};
    for (size_t i = 0; i < initrd_count(job); i++) {
        const char *path = job->base->initrds[i].path;
        struct buffer old AUTO_BUFFER = buffer_heap();
        if (job->writer->read(job->disk, path, INITRD_MAX, &old, err) < 0)
            return -1;
        if (initramfs_append(old.data, old.len, &job->base->initrds[i].content, &addition,
                             &job->initrds[i], err) < 0)
            return error_context(err, "%s", path);
    }
    return 0;
}

/* The room of the directory's file system, which may be new to the list. */
static int find_room(struct rooms *rooms, const struct job *job, const char *dir,
                     struct room **found, struct error *err)
{
    struct disk_space space;
    if (job->writer->space(job->disk, dir, &space, err) < 0)
        return -1;
    for (size_t i = 0; i < rooms->count; i++)
        if (rooms->items[i].space.id == space.id) {
            *found = &rooms->items[i];
            return 0;
        }
    if (rooms->count == ROOMS_MAX)
        return error_set(err, "the base has more than %d file systems", ROOMS_MAX);
    *found = &rooms->items[rooms->count++];
    (*found)->space = space;
    snprintf((*found)->dir, sizeof(*found)->dir, "%s", dir);
    return 0;
}

static void parent_of(const char *path, char dir[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    snprintf(dir, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* What an entry takes beside its content. A directory takes a block; a long link or a file's
 * extents may take one, too, and extended attributes what does not fit into the inode. A hard link
 * is a line in its directory. */
static uint64_t overhead_of(const struct entry *entry)
{
    uint64_t bytes = BLOCK, xattrs = 0;
    for (size_t i = 0; i < entry->xattr_count; i++)
        xattrs += strlen(entry->xattrs[i].name) + entry->xattrs[i].len + XATTR_HEAD;
    return bytes + whole_blocks(xattrs);
}

/* Directories above an entry that neither the tree nor the base has are made with it. What is above
 * `last`, too, was looked at with the entry before; in a sorted tree that is enough. */
static int need_parents(struct room *room, const struct job *job, const char *dir, const char *last,
                        struct error *err)
{
    for (size_t n = 1; dir[1] && dir[n - 1]; n++) {
        if ((dir[n] && dir[n] != '/') ||
            (strncmp(dir, last, n) == 0 && (!last[n] || last[n] == '/')))
            continue;
        char parent[PATH_MAX];
        snprintf(parent, sizeof parent, "%.*s", (int)n, dir);
        int found = tree_find(job->tree, parent) ? 1 : job->writer->exists(job->disk, parent, err);
        if (found < 0)
            return -1;
        room->bytes += found ? 0 : BLOCK;
        room->inodes += !found;
    }
    return 0;
}

/* Entries are sorted: neighbours mostly share their directory. */
static int need_tree(struct rooms *rooms, const struct job *job, struct error *err)
{
    char last[PATH_MAX] = "", dir[PATH_MAX];
    struct room *room = NULL;
    for (size_t i = 0; i < job->tree->count; i++) {
        const struct entry *entry = &job->tree->entries[i];
        uint64_t size;
        if (entry->type == ENTRY_GONE)
            continue;
        parent_of(entry->path, dir);
        if (entry_size(entry, &size, err) < 0 ||
            ((!room || strcmp(dir, last) != 0) && (find_room(rooms, job, dir, &room, err) < 0 ||
                                                   need_parents(room, job, dir, last, err) < 0)))
            return -1;
        memcpy(last, dir, sizeof last);
        room->bytes += whole_blocks(size) + overhead_of(entry);
        room->inodes += entry->type != ENTRY_HARDLINK;
        rooms->content += size;
    }
    return 0;
}

/* The old initrd goes when the new one is whole: each needs room for a moment. */
static int need_initrds(struct rooms *rooms, const struct job *job, struct error *err)
{
    uint64_t most = 0;
    struct room *room;
    for (size_t i = 0; i < initrd_count(job); i++) {
        uint64_t bytes = whole_blocks(job->initrds[i].len);
        most = most < bytes ? bytes : most;
        rooms->content += job->initrds[i].len;
    }
    if (find_room(rooms, job, "/boot", &room, err) < 0)
        return -1;
    room->bytes += most;
    room->inodes++;
    return 0;
}

static int check_room(const struct room *room, struct error *err)
{
    unsigned long long bytes = room->bytes + room->bytes / SPARE_PARTS;
    if (room->space.bytes < bytes)
        return error_set(err,
                         "the file system of %s has %llu MiB free and %llu MiB are needed: take a "
                         "larger base, or set diskSize",
                         room->dir, (unsigned long long)room->space.bytes >> 20,
                         (bytes + 0xfffff) >> 20);
    if (room->space.inodes < room->inodes)
        return error_set(err,
                         "the file system of %s has %llu inodes free and %llu are needed: take a "
                         "larger base, or set diskSize",
                         room->dir, (unsigned long long)room->space.inodes,
                         (unsigned long long)room->inodes);
    return 0;
}

/* Adds up what all of it takes, by file system, and checks that it is there. */
static int check_rooms(struct rooms *rooms, const struct job *job, struct error *err)
{
    struct room *root;
    if (find_room(rooms, job, "/", &root, err) < 0 || need_tree(rooms, job, err) < 0 ||
        need_initrds(rooms, job, err) < 0)
        return -1;
    for (size_t i = 0; i < rooms->count; i++)
        if (check_room(&rooms->items[i], err) < 0)
            return -1;
    return 0;
}

typedef bool entry_chosen(const struct entry *entry);

static bool is_no_hardlink(const struct entry *entry)
{
    return entry->type != ENTRY_HARDLINK && entry->type != ENTRY_GONE;
}

static bool is_hardlink(const struct entry *entry)
{
    return entry->type == ENTRY_HARDLINK;
}

static bool is_directory(const struct entry *entry)
{
    return entry->type == ENTRY_DIR;
}

static int put_chosen(const struct job *job, entry_chosen *chosen, struct progress *progress,
                      struct error *err)
{
    for (size_t i = 0; i < job->tree->count; i++)
        if (chosen(&job->tree->entries[i]) && job->writer->put(job->disk, &job->tree->entries[i],
                                                               job->tree->mtime, progress, err) < 0)
            return -1;
    return 0;
}

static int remove_gone(const struct job *job, struct error *err)
{
    for (size_t i = 0; i < job->tree->count; i++)
        if (job->tree->entries[i].type == ENTRY_GONE &&
            job->writer->remove(job->disk, job->tree->entries[i].path, job->tree->mtime, err) < 0)
            return -1;
    return 0;
}

/* What goes makes room. Hard links after the files that they name; directories once more at the
 * end, for what was put into them has changed their times. */
static int put_entries(const struct job *job, struct progress *progress, struct error *err)
{
    if (remove_gone(job, err) < 0 || put_chosen(job, is_no_hardlink, progress, err) < 0 ||
        put_chosen(job, is_hardlink, progress, err) < 0 ||
        put_chosen(job, is_directory, NULL, err) < 0)
        return -1;
    return 0;
}

static int put_initrds(const struct job *job, struct progress *progress, struct error *err)
{
    for (size_t i = 0; i < initrd_count(job); i++) {
        struct entry entry = {.path = job->base->initrds[i].path,
                              .type = ENTRY_FILE,
                              .mode = INITRD_MODE,
                              .text = job->initrds[i].data,
                              .len = job->initrds[i].len};
        if (job->writer->put(job->disk, &entry, job->tree->mtime, progress, err) < 0)
            return -1;
    }
    return 0;
}

static int write_all(struct job *job, const char *name, struct error *err)
{
    struct rooms *rooms AUTO_FREE = heap_array(1, sizeof *rooms);
    if ((job->base && make_initrds(job, err) < 0) || check_rooms(rooms, job, err) < 0)
        return -1;
    struct progress progress = progress_start(rooms->content, "write %s", name);
    int result = put_entries(job, &progress, err);
    if (result == 0)
        result = put_initrds(job, &progress, err);
    progress_end(&progress);
    return result;
}

int image_write(const struct disk_writer *writer, struct disk *disk, const struct base *base,
                const struct tree *tree, const char *name, struct error *err)
{
    struct job job = {.writer = writer, .disk = disk, .base = base, .tree = tree};
    job.initrds = heap_array(base->initrd_count, sizeof *job.initrds);
    for (size_t i = 0; i < base->initrd_count; i++)
        job.initrds[i] = buffer_heap();
    int result = write_all(&job, name, err);
    for (size_t i = 0; i < base->initrd_count; i++)
        buffer_free(&job.initrds[i]);
    free(job.initrds);
    return result;
}

int image_add(const struct disk_writer *writer, struct disk *disk, const struct tree *tree,
              const char *name, struct error *err)
{
    struct job job = {.writer = writer, .disk = disk, .tree = tree};
    return write_all(&job, name, err);
}
