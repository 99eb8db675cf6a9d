#include "builder/image/guestfs/volumes.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/partition.h"

static void list_free_at(char ***list)
{
    for (char **item = *list; item && *item; item++)
        free(*item);
    free(*list);
}
#define AUTO_LIST __attribute__((cleanup(list_free_at)))

void guest_volumes_free(struct guest_volumes *volumes)
{
    for (size_t i = 0; i < volumes->count; i++) {
        struct guest_volume *v = &volumes->items[i];
        char *const texts[] = {v->device, v->id,        v->type,      v->uuid,
                               v->label,  v->part_uuid, v->part_label};
        for (size_t t = 0; t < ARRAY_LEN(texts); t++)
            free(texts[t]);
        for (size_t n = 0; n < VOLUME_NAMES_MAX; n++)
            free(v->names[n]);
    }
    free(volumes->items);
    *volumes = (struct guest_volumes){0};
}

static struct guest_volume *add_volume(guestfs_h *g, struct guest_volumes *all, const char *device,
                                       const char *id)
{
    struct guest_volume *v = APPEND(all->items, all->count, all->cap);
    *v = (struct guest_volume){.device = heap_copy(device), .id = heap_copy(id)};
    /* A volume without a file system is an error to blkid; it has no values, then. */
    char **pairs AUTO_LIST = guestfs_blkid(g, device);
    for (char **pair = pairs; pair && pair[0] && pair[1]; pair += 2) {
        struct {
            const char *key;
            char **value;
        } const wanted[] = {{"TYPE", &v->type},
                            {"UUID", &v->uuid},
                            {"LABEL", &v->label},
                            {"PART_ENTRY_UUID", &v->part_uuid},
                            {"PART_ENTRY_NAME", &v->part_label}};
        for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
            if (strcmp(pair[0], wanted[i].key) == 0 && !*wanted[i].value)
                *wanted[i].value = heap_copy(pair[1]);
    }
    return v;
}

static int read_partitions(struct disk *disk, struct guest_volumes *all, struct error *err)
{
    guestfs_h *g = disk->set->g;
    char **list AUTO_LIST = guestfs_list_partitions(g);
    if (!list)
        return guest_error(g, err, "list the partitions of %s", disk->device);
    size_t len = strlen(disk->device);
    for (char **item = list; *item; item++) {
        /* /dev/sda1 is of /dev/sda, /dev/sdaa1 is not. */
        const char *number = *item + len;
        if (strncmp(*item, disk->device, len) != 0 ||
            strspn(number, "0123456789") != strlen(number))
            continue;
        if (all->count == PARTITIONS_MAX)
            return error_set(err, "more than %d partitions", PARTITIONS_MAX);
        add_volume(g, all, *item, number);
    }
    if (all->count == 0)
        return error_set(err, "the disk has no partition table that Linux knows");
    return 0;
}

/* The UUID as the kernel's name of a logical volume has it, or NULL. */
static char *without_dashes(char *uuid)
{
    size_t n = 0;
    for (const char *p = uuid; p && *p; p++)
        if (*p != '-')
            uuid[n++] = *p;
    if (uuid)
        uuid[n] = '\0';
    return uuid;
}

/* LVM's way to write one name out of two: "my-vg", "root" is "my--vg-root". */
static char *mapper_name(const char *group, const char *volume)
{
    struct buffer name AUTO_BUFFER = buffer_heap();
    const char *const parts[] = {group, volume};
    buffer_puts(&name, "mapper/");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (i > 0)
            buffer_puts(&name, "-");
        for (const char *p = parts[i]; *p; p++)
            buffer_puts(&name, *p == '-' ? "--" : (char[]){*p, '\0'});
    }
    return heap_copy(name.data);
}

/* Installers write any of the names into fstab. */
static void name_logical(guestfs_h *g, struct guest_volume *v)
{
    const char *path = v->device + strlen("/dev/");
    char *group AUTO_FREE = heap_copy(path);
    char *slash = strchr(group, '/');
    if (!slash)
        return;
    *slash = '\0';
    char *group_uuid AUTO_FREE = without_dashes(guestfs_vguuid(g, group));
    char *uuid AUTO_FREE = without_dashes(guestfs_lvuuid(g, v->device));
    v->names[0] = heap_copy(path);
    v->names[1] = mapper_name(group, slash + 1);
    if (group_uuid && uuid)
        v->names[2] = heap_printf("disk/by-id/dm-uuid-LVM-%s%s", group_uuid, uuid);
}

static int read_logical(struct disk *disk, const struct guest_layout *layout,
                        struct guest_volumes *all, struct error *err)
{
    guestfs_h *g = disk->set->g;
    if (layout->physical_count == 0)
        return 0;
    if (guest_activate(disk, layout, err) < 0)
        return -1;
    char **list AUTO_LIST = guestfs_lvs(g);
    if (!list)
        return guest_error(g, err, "list the logical volumes of %s", disk->device);
    for (char **item = list; *item; item++)
        if (strncmp(*item, "/dev/", strlen("/dev/")) == 0)
            name_logical(g, add_volume(g, all, *item, *item));
    return 0;
}

int guest_volumes_read(struct disk *disk, struct guest_layout *layout, struct guest_volumes *out,
                       struct error *err)
{
    if (read_partitions(disk, out, err) < 0)
        return -1;
    for (size_t i = 0; i < out->count; i++)
        if (out->items[i].type && strcmp(out->items[i].type, "LVM2_member") == 0)
            *APPEND(layout->physical, layout->physical_count, layout->physical_cap) =
                heap_copy(out->items[i].id);
    return read_logical(disk, layout, out, err);
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

/* /dev/vda15, /dev/nvme0n1p15 and /dev/disk/by-path/pci-0000:00:04.0-part15 are partition 15. */
static bool has_number(const char *path, const char *id)
{
    static const char part[] = "-part";
    size_t len = strlen(path), digits = 0;
    while (digits < len && path[len - digits - 1] >= '0' && path[len - digits - 1] <= '9')
        digits++;
    const char *number = path + len - digits;
    size_t before = len - digits, n = sizeof part - 1;
    bool plain = !strchr(path, '/') && !after(path, "md") && !after(path, "dm-");
    bool linked = after(path, "disk/") && before >= n && memcmp(number - n, part, n) == 0;
    return (plain || linked) && strcmp(number, id) == 0;
}

bool guest_volume_matches(const struct guest_volume *v, const char *spec)
{
    struct {
        const char *tag, *link, *value;
    } const names[] = {{"UUID=", "/dev/disk/by-uuid/", v->uuid},
                       {"LABEL=", "/dev/disk/by-label/", v->label},
                       {"PARTUUID=", "/dev/disk/by-partuuid/", v->part_uuid},
                       {"PARTLABEL=", "/dev/disk/by-partlabel/", v->part_label}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *wanted = after(spec, names[i].tag);
        wanted = wanted ? wanted : after(spec, names[i].link);
        if (wanted)
            return same(wanted, names[i].value);
    }
    const char *path = after(spec, "/dev/");
    if (!path)
        return false;
    for (size_t i = 0; i < VOLUME_NAMES_MAX; i++)
        if (v->names[i] && strcmp(v->names[i], path) == 0)
            return true;
    return has_number(path, v->id);
}
