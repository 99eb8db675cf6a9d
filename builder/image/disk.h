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

/* What is at a path of an image. */
struct disk_item {
    mode_t mode; /* with its type, as stat(2) has it */
    uid_t uid;
    gid_t gid;
    uint64_t size;        /* bytes */
    uint64_t id;          /* the same for two names of one file */
    char *target;         /* of a symbolic link, else NULL */
    struct xattr *xattrs; /* sorted by name */
    size_t xattr_count, xattr_cap;
};

/* Sorts the extended attributes by name. */
void disk_item_sort(struct disk_item *item) NONNULL(1);

/* Frees what the item holds. */
void disk_item_free(struct disk_item *item) NONNULL(1);
#define AUTO_ITEM __attribute__((cleanup(disk_item_free)))

/* Gets the content of a file piece by piece; follows the contract of errors, and -1 ends it. */
typedef int disk_sink(void *ctx, const void *bytes, size_t n, struct error *err);

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
    /* Opens one image for reading only: no byte of its file changes. A file system that was not
     * unmounted is shown as its recovery would leave it; `remarks` gets a line, with a newline, for
     * each thing of that kind. 1, 0 when another writer has to (err says why), or -1. */
    int (*view)(const struct disk_file *file, struct disk **out, struct disk_set **set,
                struct buffer *remarks, struct error *err);
    /* Flushes and closes all; the disks are gone, also on -1. set may be NULL. */
    int (*close_all)(struct disk_set *set, struct error *err);
    /* Appends a file's content, at most max bytes. */
    int (*read)(struct disk *disk, const char *path, size_t max, struct buffer *out,
                struct error *err);
    /* Hands a file's content to the sink, in memory that does not grow with the file. */
    int (*stream)(struct disk *disk, const char *path, disk_sink *sink, void *ctx,
                  struct error *err);
    /* What is at the path, a last link not followed: 1, 0 when nothing is (also when a parent is
     * none), or -1. *out is to be freed on 1 only. */
    int (*look)(struct disk *disk, const char *path, struct disk_item *out, struct error *err);
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
    /* Removes what is at the path, a directory with all that is in it; nothing there is fine. Its
     * directory gets the time. The blocks are zeroed where the writer can. */
    int (*remove)(struct disk *disk, const char *path, time_t mtime, struct error *err);
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

/* An image that is open for reading only. */
struct disk_view {
    const struct disk_writer *writer;
    struct disk *disk;
    struct disk_set *set; /* for close_all */
};

/* Opens an image with the writer's view, or, when `writer` is NULL, with the first that can. */
int disk_view_open(const struct disk_file *file, const struct disk_writer *writer,
                   struct disk_view *out, struct buffer *remarks, struct error *err)
    NONNULL(1, 3, 4, 5) MUST_CHECK;

extern const struct disk_writer disk_writer_ext4, disk_writer_guestfs;

#endif
