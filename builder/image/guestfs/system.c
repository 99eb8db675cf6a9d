/* The system on a disk is found here and not by guestfs_inspect_os, which looks at every disk of
 * the appliance: 9 seconds a disk in emulation, and only one answer is needed for all copies. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/fstab.h"
#include "builder/image/guestfs/guest.h"

enum { PARTITIONS_MAX = 128, FSTAB_MAX = 64 * 1024 };

/* What blkid knows of a partition; absent values are NULL. */
struct partition {
    char *device;
    const char *suffix; /* inside device */
    char *type, *uuid, *label, *part_uuid, *part_label;
};

struct partitions {
    struct partition items[PARTITIONS_MAX];
    size_t count;
};

static void partitions_free_at(struct partitions *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct partition *p = &all->items[i];
        free(p->device);
        free(p->type);
        free(p->uuid);
        free(p->label);
        free(p->part_uuid);
        free(p->part_label);
    }
}

static void list_free_at(char ***list)
{
    for (char **item = *list; item && *item; item++)
        free(*item);
    free(*list);
}

#define AUTO_PARTITIONS __attribute__((cleanup(partitions_free_at)))
#define AUTO_LIST       __attribute__((cleanup(list_free_at)))

static void identify(guestfs_h *g, struct partition *p)
{
    /* A partition without a file system is an error to blkid; it has no values, then. */
    char **pairs AUTO_LIST = guestfs_blkid(g, p->device);
    for (char **pair = pairs; pair && pair[0] && pair[1]; pair += 2) {
        struct {
            const char *key;
            char **value;
        } const wanted[] = {{"TYPE", &p->type},
                            {"UUID", &p->uuid},
                            {"LABEL", &p->label},
                            {"PART_ENTRY_UUID", &p->part_uuid},
                            {"PART_ENTRY_NAME", &p->part_label}};
        for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
            if (strcmp(pair[0], wanted[i].key) == 0 && !*wanted[i].value)
                *wanted[i].value = heap_copy(pair[1]);
    }
}

static int find_partitions(guestfs_h *g, const char *device, struct partitions *all,
                           struct error *err)
{
    char **list AUTO_LIST = guestfs_list_partitions(g);
    if (!list)
        return guest_error(g, err, "list the partitions of %s", device);
    size_t len = strlen(device);
    for (char **item = list; *item; item++) {
        /* /dev/sda1 is of /dev/sda, /dev/sdaa1 is not. */
        const char *suffix = *item + len;
        if (strncmp(*item, device, len) != 0 || strspn(suffix, "0123456789") != strlen(suffix))
            continue;
        if (all->count == PARTITIONS_MAX)
            return error_set(err, "more than %d partitions", PARTITIONS_MAX);
        struct partition *p = &all->items[all->count++];
        p->device = heap_copy(*item);
        p->suffix = p->device + len;
        identify(g, p);
    }
    if (all->count == 0)
        return error_set(err, "the disk has no partition table that Linux knows");
    return 0;
}

/* Not btrfs: Linux cannot tell two copies of one apart. */
static bool may_hold_root(const struct partition *p)
{
    static const char *const types[] = {"ext2", "ext3", "ext4", "xfs"};
    for (size_t i = 0; p->type && i < ARRAY_LEN(types); i++)
        if (strcmp(p->type, types[i]) == 0)
            return true;
    return false;
}

/* 1 when the partition holds a system, 0 when not, -1. */
static int holds_system(guestfs_h *g, const struct partition *p, struct error *err)
{
    mode_t mode;
    if (guestfs_mount_options(g, "ro,noatime", p->device, "/") < 0)
        return guest_error(g, err, "mount partition %s", p->suffix);
    int found = guest_look(g, "/etc/os-release", &mode, err);
    if (found == 0)
        found = guest_look(g, "/usr/lib/os-release", &mode, err);
    if (guestfs_umount_all(g) < 0 && found >= 0)
        return guest_error(g, err, "unmount partition %s", p->suffix);
    return found;
}

/* The partition that holds the system, or NULL with an error. */
static const struct partition *find_root(guestfs_h *g, const struct partitions *all,
                                         struct error *err)
{
    const struct partition *root = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct partition *p = &all->items[i];
        int found = may_hold_root(p) ? holds_system(g, p, err) : 0;
        if (found < 0)
            return NULL;
        if (found && root) {
            error_set(err, "two systems, on partitions %s and %s: which one is meant?",
                      root->suffix, p->suffix);
            return NULL;
        }
        if (found)
            root = p;
    }
    if (!root)
        error_set(err,
                  "no system: none of the %zu partitions is ext2-4 or xfs and has "
                  "/etc/os-release (LVM, RAID, btrfs and encrypted disks are not supported)",
                  all->count);
    return root;
}

static const char *after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

static bool same(const char *wanted, const char *value)
{
    return value && strcasecmp(wanted, value) == 0;
}

static bool matches(const struct partition *p, const char *spec)
{
    struct {
        const char *tag, *link, *value;
    } const names[] = {{"UUID=", "/dev/disk/by-uuid/", p->uuid},
                       {"LABEL=", "/dev/disk/by-label/", p->label},
                       {"PARTUUID=", "/dev/disk/by-partuuid/", p->part_uuid},
                       {"PARTLABEL=", "/dev/disk/by-partlabel/", p->part_label}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *wanted = after(spec, names[i].tag);
        wanted = wanted ? wanted : after(spec, names[i].link);
        if (wanted)
            return same(wanted, names[i].value);
    }
    if (!after(spec, "/dev/") || after(spec, "/dev/mapper/"))
        return false;
    const char *number = spec + strlen(spec); /* /dev/vda15, /dev/nvme0n1p15 */
    while (number[-1] >= '0' && number[-1] <= '9')
        number--;
    return strcmp(number, p->suffix) == 0;
}

static void add_mount(struct guest_mounts *mounts, const char *partition, const char *dir)
{
    mounts->items = heap_grow(mounts->items, mounts->count, &mounts->cap, sizeof *mounts->items);
    mounts->items[mounts->count++] =
        (struct guest_mount){.partition = heap_copy(partition), .dir = heap_copy(dir)};
}

static int add_entry(const struct partitions *all, const struct fstab_entry *entry,
                     struct guest_mounts *mounts, struct error *err)
{
    if (!fstab_concerns_disk(entry))
        return 0;
    for (size_t i = 0; i < all->count; i++)
        if (matches(&all->items[i], entry->spec)) {
            add_mount(mounts, all->items[i].suffix, entry->dir);
            return 0;
        }
    if (fstab_has_option(entry, "nofail"))
        return 0;
    return error_set(err, "/etc/fstab:%u: %s for %s is not on the disk", entry->line, entry->spec,
                     entry->dir);
}

static int read_fstab(guestfs_h *g, const struct partitions *all, struct guest_mounts *mounts,
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
        if (add_entry(all, &entry, mounts, err) < 0)
            return -1;
    return more;
}

static int by_dir(const void *a, const void *b)
{
    return strcmp(((const struct guest_mount *)a)->dir, ((const struct guest_mount *)b)->dir);
}

int guest_find_system(guestfs_h *g, const char *device, struct guest_mounts *mounts,
                      struct error *err)
{
    struct partitions all AUTO_PARTITIONS = {.count = 0};
    if (find_partitions(g, device, &all, err) < 0)
        return -1;
    const struct partition *root = find_root(g, &all, err);
    if (!root)
        return -1;
    add_mount(mounts, root->suffix, "/");
    if (guestfs_mount_options(g, "ro,noatime", root->device, "/") < 0)
        return guest_error(g, err, "mount partition %s", root->suffix);
    int result = read_fstab(g, &all, mounts, err);
    if (guestfs_umount_all(g) < 0 && result == 0)
        return guest_error(g, err, "unmount partition %s", root->suffix);
    qsort(mounts->items, mounts->count, sizeof *mounts->items, by_dir);
    return result;
}
