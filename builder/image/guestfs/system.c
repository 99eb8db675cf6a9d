/* The system on a disk is found here and not by guestfs_inspect_os, which looks at every disk of
 * the appliance: 9 seconds a disk in emulation, and only one answer is needed for all copies. */
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/fstab.h"
#include "builder/image/guestfs/volumes.h"

enum { FSTAB_MAX = 64 * 1024 };

/* Types that the root may be of, and those that make clear why there is none. Linux cannot tell
 * two copies of one btrfs apart. */
static const struct {
    const char *type, *options, *refused;
} types[] = {
    {"ext2", "noatime", NULL},
    {"ext3", "noatime", NULL},
    /* Inode tables of a young file system are left to the machine: zeroing them now takes time
     * and room. */
    {"ext4", "noatime,noinit_itable", NULL},
    {"xfs", "noatime", NULL},
    {"btrfs", NULL, "is btrfs"},
    {"crypto_LUKS", NULL, "is encrypted (LUKS)"},
    {"BitLocker", NULL, "is encrypted (BitLocker)"},
    {"linux_raid_member", NULL, "belongs to a RAID (md)"},
    {"zfs_member", NULL, "is ZFS"},
};

/* Mount options for a file system of that type, or NULL: it cannot hold the root. */
static const char *root_options(const struct guest_volume *v)
{
    for (size_t i = 0; v->type && i < ARRAY_LEN(types); i++)
        if (strcmp(v->type, types[i].type) == 0)
            return types[i].options;
    return NULL;
}

/* Why the volume cannot be looked into, or NULL. */
static const char *refusal(const struct guest_volume *v)
{
    for (size_t i = 0; v->type && i < ARRAY_LEN(types); i++)
        if (strcmp(v->type, types[i].type) == 0)
            return types[i].refused;
    return NULL;
}

/* "partition 1" or "/dev/vg/root"; the caller frees it. */
static char *name_of(const struct guest_volume *v)
{
    return v->id[0] == '/' ? heap_copy(v->id) : heap_printf("partition %s", v->id);
}

static int mount_to_look(guestfs_h *g, const struct guest_volume *v, struct error *err)
{
    if (guestfs_mount_options(g, "ro,noatime", v->device, "/") == 0)
        return 0;
    char *name AUTO_FREE = name_of(v);
    return guest_error(g, err, "mount %s", name);
}

static int unmount_all(guestfs_h *g, const struct guest_volume *v, struct error *err)
{
    if (guestfs_umount_all(g) == 0)
        return 0;
    char *name AUTO_FREE = name_of(v);
    return guest_error(g, err, "unmount %s", name);
}

/* 1 when the volume holds a system, 0 when not, -1. */
static int holds_system(guestfs_h *g, const struct guest_volume *v, struct error *err)
{
    mode_t mode;
    if (mount_to_look(g, v, err) < 0)
        return -1;
    int found = guest_look(g, "/etc/os-release", &mode, err);
    if (found == 0)
        found = guest_look(g, "/usr/lib/os-release", &mode, err);
    struct error ignored = ERROR_INIT;
    if (unmount_all(g, v, found < 0 ? &ignored : err) < 0)
        return -1;
    return found;
}

static void refuse_no_system(const struct guest_volumes *all, struct error *err)
{
    struct buffer why AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < all->count; i++) {
        const char *reason = refusal(&all->items[i]);
        char *name AUTO_FREE = name_of(&all->items[i]);
        if (reason)
            buffer_printf(&why, "%s%s %s", why.len ? ", " : "; ", name, reason);
    }
    error_set(err, "no system: none of the %zu volumes is ext2-4 or XFS and has /etc/os-release%s",
              all->count, why.len ? why.data : "");
}

/* The volume that holds the system, or NULL with an error. */
static const struct guest_volume *find_root(guestfs_h *g, const struct guest_volumes *all,
                                            struct error *err)
{
    const struct guest_volume *root = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct guest_volume *v = &all->items[i];
        int found = root_options(v) ? holds_system(g, v, err) : 0;
        if (found < 0)
            return NULL;
        if (found && root) {
            char *one AUTO_FREE = name_of(root), *two AUTO_FREE = name_of(v);
            error_set(err, "two systems, on %s and %s: which one is meant?", one, two);
            return NULL;
        }
        if (found)
            root = v;
    }
    if (!root)
        refuse_no_system(all, err);
    return root;
}

static void add_mount(struct guest_layout *layout, const struct guest_volume *v, const char *dir)
{
    const char *options = root_options(v);
    *APPEND(layout->mounts, layout->mount_count, layout->mount_cap) =
        (struct guest_mount){.volume = heap_copy(v->id),
                             .dir = heap_copy(dir),
                             .options = options ? options : "noatime"};
}

static int add_entry(const struct guest_volumes *all, const struct fstab_entry *entry,
                     struct guest_layout *layout, struct error *err)
{
    if (!fstab_concerns_disk(entry))
        return 0;
    for (size_t i = 0; i < all->count; i++)
        if (guest_volume_matches(&all->items[i], entry->spec)) {
            const char *reason = refusal(&all->items[i]);
            if (reason)
                return error_set(err, "/etc/fstab:%u: %s for %s %s, which cannot be edited",
                                 entry->line, entry->spec, entry->dir, reason);
            add_mount(layout, &all->items[i], entry->dir);
            return 0;
        }
    if (fstab_has_option(entry, "nofail"))
        return 0;
    return error_set(err, "/etc/fstab:%u: %s for %s is not on the disk", entry->line, entry->spec,
                     entry->dir);
}

static int read_fstab(guestfs_h *g, const struct guest_volumes *all, struct guest_layout *layout,
                      struct error *err)
{
    mode_t mode;
    int found = guest_look(g, "/etc/fstab", &mode, err);
    if (found <= 0)
        return found;
    size_t len = 0;
    char *text AUTO_FREE = guestfs_pread(g, "/etc/fstab", FSTAB_MAX, 0, &len);
    if (!text)
        return guest_error(g, err, "read /etc/fstab");
    if (len == FSTAB_MAX)
        return error_set(err, "/etc/fstab: larger than %d bytes", FSTAB_MAX);
    struct fstab fstab = fstab_open(text, len);
    struct fstab_entry entry;
    int more;
    while ((more = fstab_next(&fstab, &entry, err)) > 0)
        if (add_entry(all, &entry, layout, err) < 0)
            return -1;
    return more;
}

static int by_dir(const void *a, const void *b)
{
    return strcmp(((const struct guest_mount *)a)->dir, ((const struct guest_mount *)b)->dir);
}

int guest_find_system(struct disk *disk, struct guest_layout *layout, struct error *err)
{
    guestfs_h *g = disk->set->g;
    struct guest_volumes all AUTO_VOLUMES = {.count = 0};
    if (guest_volumes_read(disk, layout, &all, err) < 0)
        return -1;
    const struct guest_volume *root = find_root(g, &all, err);
    if (!root)
        return -1;
    add_mount(layout, root, "/");
    if (mount_to_look(g, root, err) < 0)
        return -1;
    int result = read_fstab(g, &all, layout, err);
    struct error ignored = ERROR_INIT;
    if (unmount_all(g, root, result < 0 ? &ignored : err) < 0)
        return -1;
    if (layout->mount_count > 1)
        qsort(layout->mounts, layout->mount_count, sizeof *layout->mounts, by_dir);
    return result;
}

void guest_layout_free(struct guest_layout *layout)
{
    for (size_t i = 0; i < layout->mount_count; i++) {
        free(layout->mounts[i].volume);
        free(layout->mounts[i].dir);
    }
    for (size_t i = 0; i < layout->physical_count; i++)
        free(layout->physical[i]);
    free(layout->mounts);
    free(layout->physical);
    *layout = (struct guest_layout){0};
}
