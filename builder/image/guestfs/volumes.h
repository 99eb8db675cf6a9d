/* The partitions and logical volumes of one disk in the appliance, as blkid sees them. */
#ifndef NB_BUILDER_VOLUMES_H
#define NB_BUILDER_VOLUMES_H

#include "builder/image/guestfs/guest.h"

enum { VOLUME_NAMES_MAX = 3 };

/* What may hold a file system. Absent texts are NULL. */
struct guest_volume {
    char *device;                  /* /dev/sda1, /dev/vg/root */
    char *id;                      /* as in struct guest_mount: "1", "/dev/vg/root" */
    char *names[VOLUME_NAMES_MAX]; /* of a logical volume, below /dev */
    char *type, *uuid, *label, *part_uuid, *part_label;
};

struct guest_volumes {
    struct guest_volume *items;
    size_t count, cap;
};

/* Finds the disk's partitions, and what LVM has on them; LVM sees no other disk afterwards. Fills
 * the layout's physical volumes. Nothing may be mounted. */
int guest_volumes_read(struct disk *disk, struct guest_layout *layout, struct guest_volumes *out,
                       struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Does a spec of fstab (UUID=, /dev/mapper/vg-root, …) name the volume? */
bool guest_volume_matches(const struct guest_volume *volume, const char *spec) NONNULL(1, 2);

/* Frees what the struct holds. */
void guest_volumes_free(struct guest_volumes *volumes);
#define AUTO_VOLUMES __attribute__((cleanup(guest_volumes_free)))

#endif
