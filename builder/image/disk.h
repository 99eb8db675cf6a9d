/* A system on a disk image, opened for editing. Writers stand in a table, a folder each: ext4/
 * edits ext4 in place, guestfs/ anything that libguestfs can mount. */
#ifndef NB_BUILDER_DISK_H
#define NB_BUILDER_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/image/blocks.h"
#include "builder/tree/tree.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

struct progress;
struct disk;     /* one open image, its root file system mounted */
struct disk_set; /* the images of one build, opened together */

/* Free room of a file system. */
struct disk_space {
    uint64_t bytes, inodes;
    uint64_t id; /* the same for two paths when they lie in one file system */
};

/* One way to edit an image. All functions but close_all follow the contract of errors; paths are
 * those inside the image, absolute; links in them resolve inside the image. */
struct disk_writer {
    const char *name;
    bool in_place; /* rewrites a file that takes as many blocks as before where it lies */
    /* Is the system in the image one that this writer edits? 1, 0 when another writer has to
     * (err says why), or -1 when nobody should: damage, encryption. NULL: any. */
    int (*suits)(const struct disk_file *file, struct error *err);
    /* Checks the whole file system of a raw image that is not open for damage. NULL in
     * writers that need not. */
    int (*check)(const struct disk_file *file, struct error *err);
    /* Makes the disk of a raw image that is not open larger, its root file system with it; it has
     * passed `check`. The same image, size and time give the same bytes. NULL in writers that
     * cannot. */
    int (*grow)(const struct disk_file *file, uint64_t size, time_t now, struct error *err);
    /* Opens n images that are copies of one base, or lie on one; sets out[0..n-1] in that order.
     * Root is found by inspection of the first. `now` is what a file system records as the time
     * of its change, where the writer can choose. */
    int (*open_all)(const struct disk_file *files, size_t n, time_t now, struct disk **out,
                    struct disk_set **set, struct error *err);
    /* Flushes and closes all; the disks are gone, also on -1. set may be NULL. */
    int (*close_all)(struct disk_set *set, struct error *err);
    /* Appends a file's content, at most max bytes. */
    int (*read)(struct disk *disk, const char *path, size_t max, struct buffer *out,
                struct error *err);
    /* Appends the names in a directory, sorted, each with a NUL behind it; "." and ".." are left
     * out. A directory that is not there is empty. */
    int (*list)(struct disk *disk, const char *path, struct buffer *out, struct error *err);
    /* Is there anything (also a dangling link) at the path? 1, 0 or -1. */
    int (*exists)(struct disk *disk, const char *path, struct error *err);
    /* Room of the file system that holds the directory, or would if it were made. */
    int (*space)(struct disk *disk, const char *dir, struct disk_space *space, struct error *err);
    /* Puts an entry: a file or link replaces what is there, a directory's mode, owner and extended
     * attributes are set; missing parents are made, 0755 root. An entry that would replace a
     * directory by something else, or anything by a directory, is an error. A hard link's target
     * must be there. Blocks of a replaced file that only its owner could read are zeroed where the
     * writer can. Adds the bytes of its content to `progress` (NULL is allowed) as they arrive. */
    int (*put)(struct disk *disk, const struct entry *entry, time_t mtime,
               struct progress *progress, struct error *err);
    /* Runs a program inside the system (argv ends with NULL) as root, with /dev, /proc and /sys
     * but no network; its output, at most 4 MiB, is appended. A process that it leaves behind makes
     * close_all fail. NULL in writers that cannot. */
    int (*run)(struct disk *disk, const char *const *argv, struct buffer *out, struct error *err);
};

/* The writer of that name, or NULL. */
const struct disk_writer *disk_writer_find(const char *name) NONNULL(1);

/* The first writer of the table that suits the image. */
int disk_writer_choose(const struct disk_file *file, const struct disk_writer **out,
                       struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

extern const struct disk_writer disk_writer_ext4, disk_writer_guestfs;

#endif
