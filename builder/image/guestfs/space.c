#include <errno.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/guestfs/guest.h"

/* The device of the directory, or of its nearest parent that is there; `dir` is cut to that. */
static int find_device(guestfs_h *g, char *dir, uint64_t *device, struct error *err)
{
    struct guestfs_statns *st;
    while (!(st = guestfs_statns(g, dir))) {
        char *slash = strrchr(dir, '/');
        if (guestfs_last_errno(g) != ENOENT || !slash[1])
            return guest_error(g, err, "free room of %s", dir);
        slash[slash == dir] = '\0';
    }
    *device = (uint64_t)st->st_dev;
    guestfs_free_statns(st);
    return 0;
}

/* statvfs takes 15 ms in emulation, stat half of one: while nothing is written, each file system
 * is asked only once. */
int guest_space(struct disk *disk, const char *dir, struct disk_space *out, struct error *err)
{
    guestfs_h *g = disk->set->g;
    char *existing AUTO_FREE = heap_copy(dir);
    uint64_t device = 0;
    if (guest_use(disk, err) < 0 || find_device(g, existing, &device, err) < 0)
        return -1;
    for (size_t i = 0; i < disk->room_count; i++)
        if (disk->rooms[i].id == device) {
            *out = disk->rooms[i];
            return 0;
        }
    struct guestfs_statvfs *st = guestfs_statvfs(g, existing);
    if (!st)
        return guest_error(g, err, "free room of %s", dir);
    *out = (struct disk_space){.bytes = (uint64_t)st->bavail * (uint64_t)st->frsize,
                               .inodes = (uint64_t)st->favail,
                               .id = device};
    guestfs_free_statvfs(st);
    if (disk->room_count < GUEST_ROOMS_MAX)
        disk->rooms[disk->room_count++] = *out;
    return 0;
}
