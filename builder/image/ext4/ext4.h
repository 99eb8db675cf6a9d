/* What the files of the ext4 writer share: the file systems of one disk, opened by libext2fs. */
#ifndef NB_BUILDER_EXT4_H
#define NB_BUILDER_EXT4_H

#include <ext2fs/ext2fs.h>
#include <stdbool.h>

#include "builder/image/disk.h"
#include "builder/image/partition.h"

/* A file system of the image. */
struct volume {
    char *dir; /* where fstab mounts it; "/" for the first */
    struct partition partition;
    ext2_filsys fs; /* NULL: not one that this writer edits (vfat, …) */
};

enum { VOLUMES_MAX = 16 };

struct disk {
    struct blocks *blocks;
    struct volume volumes[VOLUMES_MAX]; /* parents first; the first is the root */
    size_t volume_count;
    time_t now;             /* what file systems and inodes record as the time of a change */
    struct buffer *remarks; /* NULL: nothing that has to be remarked upon is opened at all */
};

/* An inode of one of the disk's file systems. */
struct place {
    struct volume *volume;
    ext2_ino_t ino;
};

/* Sets an error: "ACTION: cause", which is what blocks.h said, or else the text of libext2fs' code;
 * returns -1. */
int ext4_error(struct error *err, errcode_t code, const char *fmt, ...) PRINTF(3, 4) NONNULL(1, 3);

/* ---- io.c: libext2fs reads and writes through blocks.h, inside one partition ---- */

/* Opens the file system of the partition, for editing or for reading only; the caller closes it
 * with ext4_fs_close. `now` is the time of all changes; 0 counts as 1. */
int ext4_fs_open(struct blocks *blocks, const struct partition *partition, bool writable,
                 time_t now, ext2_filsys *out, struct error *err) NONNULL(1, 2, 5, 6) MUST_CHECK;

/* The same for reading only, as the file system will be when its journal was recovered. */
int ext4_fs_open_recovered(struct blocks *blocks, const struct partition *partition,
                           ext2_filsys *out, struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Writes what is changed back and frees it, also on -1; NULL is allowed. */
int ext4_fs_close(ext2_filsys fs, struct error *err) NONNULL(2) MUST_CHECK;

/* ---- check.c, e2fsck.c: what this writer refuses ---- */

/* Looks at the superblock, before libext2fs opens the file system: 1 when it may be edited here, 0
 * when another writer has to (features that are not kept up here), -1 when nobody should: a journal
 * that needs recovery, orphans, recorded errors, damage. On 0 and -1 err says why. */
int ext4_check(struct blocks *blocks, const struct partition *partition, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* What is no obstacle for who only reads. */
enum ext4_flaw {
    EXT4_NOT_RECOVERED = 1, /* its journal needs recovery */
    EXT4_NOT_UNMOUNTED = 2, /* and there is no journal */
    EXT4_HAS_ERRORS = 4,    /* errors were recorded */
};

/* The same for reading only: 1 and *flaws set (of enum ext4_flaw), 0 or -1. */
int ext4_check_view(struct blocks *blocks, const struct partition *partition, unsigned *flaws,
                    struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Has e2fsck read all metadata of a file system in a raw image, which takes seconds; refuses one
 * that is not consistent. */
int ext4_check_whole(const char *raw, const struct partition *partition, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* The name by which e2fsprogs' tools, run by us, open a file system in a raw image that we have
 * open as `fd`; the caller frees it. */
char *ext4_tool_name(int fd, const struct partition *partition) NONNULL(2);

/* ---- root.c, system.c: where the system lies ---- */

/* Does libblkid take it for ext2, ext3 or ext4? */
bool ext4_is_ext(const struct partition *partition) NONNULL(1);

/* Finds the partition that holds the system; answers as ext4_open_system. With `view` a file
 * system that is only good for reading will do. */
int ext4_find_root(struct blocks *blocks, const struct partitions *all, bool view,
                   const struct partition **root, struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Finds root among the partitions and opens it and what its fstab mounts below. 1 when it is one
 * that this writer edits, 0 when another writer has to (err says why), -1 when nobody should. On
 * 0 and -1 nothing stays open. */
int ext4_open_system(struct disk *disk, bool writable, struct error *err) NONNULL(1, 3) MUST_CHECK;

/* Checks and opens the file system of a partition for reading only, whatever its state. What there
 * is to say of it is appended to `remarks`, a line each, unless that is NULL; `dir` is how they
 * call it. 1, 0 or -1. */
int ext4_view_volume(struct blocks *blocks, const struct partition *partition, const char *dir,
                     struct buffer *remarks, ext2_filsys *out, struct error *err)
    NONNULL(1, 2, 3, 5, 6) MUST_CHECK;

/* Closes the file systems; also on -1 all are closed. */
int ext4_close_system(struct disk *disk, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* ---- walk.c: paths inside the image ---- */

/* Finds what is at an absolute path; links in it resolve inside the image, the last one only with
 * `follow`. 1 and *out set, 0 when nothing is there (also when a parent is no directory), or -1. */
int ext4_find(struct disk *disk, const char *path, bool follow, struct place *out,
              struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Finds the directory at the path, through links: 1, 0 when nothing is there, or -1. What is there
 * and is no directory, and a link to nowhere, are errors. */
int ext4_find_directory(struct disk *disk, const char *path, struct place *out, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* ---- the writer's functions, as disk.h describes them ---- */

int ext4_read(struct disk *disk, const char *path, size_t max, struct buffer *out,
              struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;
int ext4_stream(struct disk *disk, const char *path, disk_sink *sink, void *ctx, struct error *err)
    NONNULL(1, 2, 3, 5) MUST_CHECK;
int ext4_look(struct disk *disk, const char *path, struct disk_item *out, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;
int ext4_list(struct disk *disk, const char *path, struct buffer *out, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;
int ext4_exists(struct disk *disk, const char *path, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;
int ext4_space(struct disk *disk, const char *dir, struct disk_space *out, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;
int ext4_put(struct disk *disk, const struct entry *entry, time_t mtime, struct progress *progress,
             struct error *err) NONNULL(1, 2, 5) MUST_CHECK;
int ext4_remove(struct disk *disk, const char *path, time_t mtime, struct error *err)
    NONNULL(1, 2, 4) MUST_CHECK;

#endif
