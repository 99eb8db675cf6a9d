#include "builder/image/image.h"

#include <fcntl.h>
#include <stdlib.h>

#include "builder/heap.h"
#include "builder/image/initramfs.h"
#include "builder/progress.h"
#include "common/file.h"

/* Spare room, so that the first boot still has some for logs: one in SPARE_PARTS of the sum. */
enum { BLOCK = 4096, SPARE_PARTS = 20, INITRD_MODE = 0644 };

/* Everything that image_write needs at hand. */
struct job {
    const struct disk_writer *writer;
    struct disk *disk;
    const struct base *base;
    const struct tree *tree;
    struct buffer *initrds; /* the new ones, in the order of the base */
};

/* What something takes on disk, and how much of it is content. */
struct need {
    uint64_t bytes, inodes, content;
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
    for (size_t i = 0; i < job->base->initrd_count; i++) {
        const char *path = job->base->initrds[i].path;
        struct buffer old AUTO_BUFFER = buffer_heap();
        if (job->writer->read(job->disk, path, INITRD_MAX, &old, err) < 0)
            return -1;
        if (initramfs_append(old.data, old.len, &addition, &job->initrds[i], err) < 0)
            return error_context(err, "%s", path);
    }
    return 0;
}

static int need_of_tree(const struct tree *tree, struct need *need, struct error *err)
{
    *need = (struct need){.inodes = tree->count};
    for (size_t i = 0; i < tree->count; i++) {
        uint64_t size;
        if (entry_size(&tree->entries[i], &size, err) < 0)
            return -1;
        /* A directory takes a block; a long link or a file's extents may take one, too. */
        need->bytes += whole_blocks(size) + BLOCK;
        need->content += size;
    }
    return 0;
}

/* The old initrd goes when the new one is whole: each needs room for a moment. */
static struct need need_of_initrds(const struct job *job)
{
    struct need need = {.inodes = 1};
    for (size_t i = 0; i < job->base->initrd_count; i++) {
        uint64_t bytes = whole_blocks(job->initrds[i].len);
        need.bytes = need.bytes < bytes ? bytes : need.bytes;
        need.content += job->initrds[i].len;
    }
    return need;
}

static int check_room(const struct job *job, const char *dir, struct need need, struct error *err)
{
    struct disk_space room;
    uint64_t bytes = need.bytes + need.bytes / SPARE_PARTS;
    if (job->writer->space(job->disk, dir, &room, err) < 0)
        return -1;
    if (room.bytes < bytes)
        return error_set(err,
                         "%s has %llu MiB free and %llu MiB are needed: take a larger base "
                         "disk",
                         dir, (unsigned long long)room.bytes >> 20,
                         ((unsigned long long)bytes + 0xfffff) >> 20);
    if (room.inodes < need.inodes)
        return error_set(err,
                         "%s has %llu inodes free and %llu are needed: take a larger base "
                         "disk",
                         dir, (unsigned long long)room.inodes, (unsigned long long)need.inodes);
    return 0;
}

/* /boot may be a file system of its own. */
static int check_all_room(const struct job *job, struct need tree, struct need initrds,
                          struct error *err)
{
    struct disk_space root, boot;
    if (job->writer->space(job->disk, "/", &root, err) < 0 ||
        job->writer->space(job->disk, "/boot", &boot, err) < 0)
        return -1;
    if (root.id == boot.id) {
        tree.bytes += initrds.bytes;
        tree.inodes += initrds.inodes;
    } else if (check_room(job, "/boot", initrds, err) < 0) {
        return -1;
    }
    return check_room(job, "/", tree, err);
}

static int put_entries(const struct job *job, struct progress *progress, struct error *err)
{
    for (size_t i = 0; i < job->tree->count; i++)
        if (job->writer->put(job->disk, &job->tree->entries[i], job->tree->mtime, progress, err) <
            0)
            return -1;
    /* What was put into them has changed their times. */
    for (size_t i = 0; i < job->tree->count; i++)
        if (job->tree->entries[i].type == ENTRY_DIR &&
            job->writer->put(job->disk, &job->tree->entries[i], job->tree->mtime, NULL, err) < 0)
            return -1;
    return 0;
}

static int put_initrds(const struct job *job, struct progress *progress, struct error *err)
{
    for (size_t i = 0; i < job->base->initrd_count; i++) {
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
    struct need tree, initrds;
    if (make_initrds(job, err) < 0 || need_of_tree(job->tree, &tree, err) < 0)
        return -1;
    initrds = need_of_initrds(job);
    if (check_all_room(job, tree, initrds, err) < 0)
        return -1;
    struct progress progress = progress_start(tree.content + initrds.content, "write %s", name);
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
