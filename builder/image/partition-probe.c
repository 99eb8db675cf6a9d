#include "builder/image/partition-probe.h"

#include <stdio.h>
#include <string.h>

#include "builder/image/partition-table.h"

enum {
    /* Superblocks lie within these bytes of a partition's begin, those of RAID members of its
     * end. */
    SUPERBLOCKS = 128 * 1024,
    FAT_ROOM = 16 * 1024 * 1024 /* that FAT's tables can take up and still be looked behind */
};

void probe_free_at(blkid_probe *probe)
{
    blkid_free_probe(*probe);
}

int probe_open(const struct view *view, uint64_t start, uint64_t size, blkid_probe *probe,
               struct error *err)
{
    *probe = blkid_new_probe();
    if (!*probe ||
        blkid_probe_set_device(*probe, view->fd, (blkid_loff_t)start, (blkid_loff_t)size) != 0)
        return error_set(err, "libblkid cannot read the disk");
    return 0;
}

void probe_set_text(char *text, size_t size, const char *value)
{
    snprintf(text, size, "%s", value ? value : "");
}

static void set_value(char *text, size_t size, blkid_probe probe, const char *name)
{
    const char *value = NULL;
    if (blkid_probe_lookup_value(probe, name, &value, NULL) != 0)
        value = NULL;
    probe_set_text(text, size, value);
}

static int identify(const struct view *view, struct partition *p, struct error *err)
{
    enum { AMBIGUOUS = -2, NOTHING = 1 };
    blkid_probe probe AUTO_PROBE = NULL;
    if (probe_open(view, p->start, p->size, &probe, err) < 0)
        return -1;
    blkid_probe_enable_superblocks(probe, 1);
    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID |
                                                 BLKID_SUBLKS_LABEL | BLKID_SUBLKS_BADCSUM);
    int answer = blkid_do_safeprobe(probe);
    if (answer == AMBIGUOUS)
        probe_set_text(p->fs, sizeof p->fs, PARTITION_AMBIGUOUS);
    if (answer == AMBIGUOUS || answer == NOTHING)
        return 0;
    if (answer != 0)
        return error_set(err, "libblkid cannot read partition %u", p->number);
    set_value(p->fs, sizeof p->fs, probe, "TYPE");
    set_value(p->fs_uuid, sizeof p->fs_uuid, probe, "UUID");
    set_value(p->fs_label, sizeof p->fs_label, probe, "LABEL");
    return 0;
}

/*  A FAT file system; its label is an entry of the root directory.
 *
 *  +-------------+----------+--------+--------+-----------------------------
 *  | boot sector | reserved | tables | tables | root directory, other files
 *  +-------------+----------+--------+--------+-----------------------------
 */
static int show_fat(struct view *view, const struct partition *p, struct error *err)
{
    unsigned char boot[SECTOR_SIZE];
    if (p->size < sizeof boot)
        return 0;
    if (blocks_read(view->blocks, p->start, boot, sizeof boot, err) < 0)
        return -1;
    uint64_t sector = disk_number(boot + 11, 2), reserved = disk_number(boot + 14, 2);
    uint64_t tables = boot[16], length = disk_number(boot + 22, 2);
    if (!length)
        length = disk_number(boot + 36, 4);
    uint64_t shown = sector * (reserved + tables * length) + SUPERBLOCKS;
    if (shown > FAT_ROOM)
        shown = FAT_ROOM;
    return view_show(view, p->start, shown < p->size ? shown : p->size, err);
}

int probe_partition(struct view *view, struct partition *p, struct error *err)
{
    uint64_t shown = p->size < SUPERBLOCKS ? p->size : SUPERBLOCKS;
    if (view_show(view, p->start, shown, err) < 0 ||
        view_show(view, p->start + p->size - shown, shown, err) < 0 || identify(view, p, err) < 0)
        return -1;
    if (!view->copy || strcmp(p->fs, "vfat") != 0)
        return 0;
    if (show_fat(view, p, err) < 0)
        return -1;
    return identify(view, p, err);
}
