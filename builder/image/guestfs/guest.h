/* What the files of the libguestfs writer share: the appliance, and the disks in it. */
#ifndef NB_BUILDER_GUEST_H
#define NB_BUILDER_GUEST_H

#include <guestfs.h>
#include <stdbool.h>

#include "builder/image/disk.h"

/* A file system of the system that is worked on. */
struct guest_mount {
    char *volume; /* "1" for /dev/sda1, "/dev/vg/root" for a logical volume */
    char *dir;
    const char *options; /* to mount it with */
};

/* Where the system lies. All images are copies of one base, so one layout serves them all. It says
 * partitions by number, never by UUID, for every disk has the same ones; LVM is shown one disk at a
 * time, for all have the same groups. */
struct guest_layout {
    struct guest_mount *mounts; /* parents first; the first is / */
    size_t mount_count, mount_cap;
    char **physical; /* partitions that are LVM's physical volumes: "2" */
    size_t physical_count, physical_cap;
};

enum { GUEST_ROOMS_MAX = 16 };

struct disk {
    struct disk_set *set;
    char *device; /* /dev/sdb */
    bool qcow2;
    bool written;
    struct disk_space rooms[GUEST_ROOMS_MAX]; /* what was asked since the last write */
    size_t room_count;
};

/* The disks in one appliance. Only one system can be mounted at / at a time (links inside must
 * resolve inside), so every call first switches to its disk. */
struct disk_set {
    guestfs_h *g;
    struct disk *disks;
    size_t count;
    struct disk *mounted; /* or NULL */
    struct disk *active;  /* the one that LVM sees; NULL: all of them */
    struct guest_layout layout;
};

/* Sets an error from libguestfs' own words, on one line; returns -1. */
int guest_error(guestfs_h *g, struct error *err, const char *fmt, ...) PRINTF(3, 4)
    NONNULL(1, 2, 3);

/* Finds the root file system on the disk and what its fstab mounts below it. Nothing may be
 * mounted, and nothing is afterwards. The layout is to be freed also on -1. */
int guest_find_system(struct disk *disk, struct guest_layout *layout, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Frees what the struct holds. */
void guest_layout_free(struct guest_layout *layout);

/* Makes LVM see the physical volumes of this disk alone. Nothing may be mounted. */
int guest_activate(struct disk *disk, const struct guest_layout *layout, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Mounts the disk's system at / unless it is there already. */
int guest_use(struct disk *disk, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Unmounts what is mounted. */
int guest_leave(struct disk_set *set, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* What is at a path, without following a last link: 1 and *mode set, 0 when nothing is, or -1. */
int guest_look(guestfs_h *g, const char *path, mode_t *mode, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* The writer's read, stream and look. */
int guest_read(struct disk *disk, const char *path, size_t max, struct buffer *out,
               struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;
int guest_stream(struct disk *disk, const char *path, disk_sink *sink, void *ctx, struct error *err)
    NONNULL(1, 2, 3, 5) MUST_CHECK;
int guest_look_at(struct disk *disk, const char *path, struct disk_item *out, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* The writer's space. */
int guest_space(struct disk *disk, const char *dir, struct disk_space *out, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* How much of an upload has been shown already. */
struct upload {
    struct progress *progress; /* may be NULL */
    uint64_t size, shown;
};

/* Makes a file at the path with the entry's content. */
int guest_write_content(guestfs_h *g, const struct entry *entry, const char *path,
                        struct upload *upload, struct error *err) NONNULL(1, 2, 3, 4, 5) MUST_CHECK;

/* Sets the entry's extended attributes on what was made of it at the path. */
int guest_set_xattrs(guestfs_h *g, const struct entry *entry, const char *path, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Writes zeros over the content of a file, `size` bytes. */
int guest_zero(guestfs_h *g, const char *path, int64_t size, struct error *err)
    NONNULL(1, 2, 4) MUST_CHECK;

/* Sets the time of modification of the directory that the path, or the link at it, leads to. */
int guest_set_directory_time(guestfs_h *g, const char *path, int64_t seconds, int64_t nanoseconds,
                             struct error *err) NONNULL(1, 2, 5) MUST_CHECK;

/* The writer's remove. */
int guest_remove(struct disk *disk, const char *path, time_t mtime, struct error *err)
    NONNULL(1, 2, 4) MUST_CHECK;

/* The writer's put. */
int guest_put(struct disk *disk, const struct entry *entry, time_t mtime, struct progress *progress,
              struct error *err) NONNULL(1, 2, 5) MUST_CHECK;

#endif
