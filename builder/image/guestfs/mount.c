/* Which disk of the appliance is at /. */
#include <stdlib.h>

#include "builder/heap.h"
#include "builder/image/guestfs/guest.h"

int guest_leave(struct disk_set *set, struct error *err)
{
    struct disk *disk = set->mounted;
    if (!disk)
        return 0;
    set->mounted = NULL;
    /* Gives the room of replaced files back to the host. Not all file systems can, and nothing
     * depends on it. In a qcow2 image it would only add: an overlay notes each trimmed cluster. */
    for (size_t i = 0; disk->written && !disk->qcow2 && i < set->layout.mount_count; i++)
        guestfs_fstrim(set->g, set->layout.mounts[i].dir, -1);
    if (guestfs_umount_all(set->g) < 0)
        return guest_error(set->g, err, "unmount the system of %s", disk->device);
    return 0;
}

int guest_activate(struct disk *disk, const struct guest_layout *layout, struct error *err)
{
    struct disk_set *set = disk->set;
    if (layout->physical_count == 0 || set->active == disk)
        return 0;
    size_t n = 0;
    char **devices = heap_array(layout->physical_count + 1, sizeof *devices);
    for (; n < layout->physical_count; n++)
        devices[n] = heap_printf("%s%s", disk->device, layout->physical[n]);
    set->active = NULL;
    int result = guestfs_lvm_set_filter(set->g, devices);
    if (result < 0)
        guest_error(set->g, err, "show LVM the disk %s", disk->device);
    else
        set->active = disk;
    while (n > 0)
        free(devices[--n]);
    free(devices);
    return result < 0 ? -1 : 0;
}

static int mount_volume(const struct disk *disk, const struct guest_mount *mount, struct error *err)
{
    guestfs_h *g = disk->set->g;
    char *device AUTO_FREE = mount->volume[0] == '/'
                                 ? heap_copy(mount->volume)
                                 : heap_printf("%s%s", disk->device, mount->volume);
    if (guestfs_mount_options(g, mount->options, device, mount->dir) < 0)
        return guest_error(g, err, "mount %s", mount->dir);
    return 0;
}

int guest_use(struct disk *disk, struct error *err)
{
    struct disk_set *set = disk->set;
    if (set->mounted == disk)
        return 0;
    if (guest_leave(set, err) < 0 || guest_activate(disk, &set->layout, err) < 0)
        return -1;
    for (size_t i = 0; i < set->layout.mount_count; i++)
        if (mount_volume(disk, &set->layout.mounts[i], err) < 0) {
            guestfs_umount_all(set->g);
            return -1;
        }
    set->mounted = disk;
    return 0;
}
