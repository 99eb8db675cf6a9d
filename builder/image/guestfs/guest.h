/* What the files of the libguestfs writer share: the appliance, and the disks in it. */
#ifndef NB_BUILDER_GUEST_H
#define NB_BUILDER_GUEST_H

#include <guestfs.h>
#include <stdbool.h>

#include "builder/image/disk.h"

/* A file system of the system that is worked on. All images are copies of one base, so one list
 * serves them all: the partition is named by what stands behind the disk's own name ("1" for
 * /dev/sda1), never by UUID, for every disk has the same ones. */
struct guest_mount {
    char *partition;
    char *dir;
};

struct guest_mounts {
    struct guest_mount *items; /* parents first; the first is / */
    size_t count, cap;
};

enum { GUEST_ROOMS_MAX = 16 };

struct disk {
    struct disk_set *set;
    char *device; /* /dev/sdb */
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
    struct guest_mounts mounts;
};

/* Sets an error from libguestfs' own words, on one line; returns -1. */
int guest_error(guestfs_h *g, struct error *err, const char *fmt, ...) PRINTF(3, 4)
    NONNULL(1, 2, 3);

/* Finds the root file system on the device and what its fstab mounts below it. Leaves nothing
 * mounted. */
int guest_find_system(guestfs_h *g, const char *device, struct guest_mounts *mounts,
                      struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Mounts the disk's system at / unless it is there already. */
int guest_use(struct disk *disk, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Unmounts what is mounted. */
int guest_leave(struct disk_set *set, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* What is at a path, without following a last link: 1 and *mode set, 0 when nothing is, or -1. */
int guest_look(guestfs_h *g, const char *path, mode_t *mode, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* The writer's space. */
int guest_space(struct disk *disk, const char *dir, struct disk_space *out, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* The writer's put. */
int guest_put(struct disk *disk, const struct entry *entry, time_t mtime, struct progress *progress,
              struct error *err) NONNULL(1, 2, 5) MUST_CHECK;

#endif
