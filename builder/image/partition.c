#include "builder/image/partition.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/partition-probe.h"
#include "builder/image/partition-table.h"
#include "builder/image/partition-view.h"

enum { SMALLEST_DISK = 4096 };

/* A table as libblkid lists it. */
struct listing {
    struct partitions *all;
    size_t cap;
    struct partition extended[4]; /* of an MBR; they only hold others */
    size_t extended_count;
};

static int take_entry(struct listing *listing, blkid_partition entry, bool gpt, struct error *err)
{
    struct partition p = {.number = (unsigned)blkid_partition_get_partno(entry)};
    uint64_t start = (uint64_t)blkid_partition_get_start(entry);
    uint64_t size = (uint64_t)blkid_partition_get_size(entry);
    if (!start || !size || start > UINT64_MAX / SECTOR_SIZE || size > UINT64_MAX / SECTOR_SIZE)
        return error_set(err, "partition %u: %llu sectors from sector %llu are none", p.number,
                         (unsigned long long)size, (unsigned long long)start);
    p.start = start * SECTOR_SIZE;
    p.size = size * SECTOR_SIZE;
    if (gpt)
        probe_set_text(p.type, sizeof p.type, blkid_partition_get_type_string(entry));
    else
        snprintf(p.type, sizeof p.type, "0x%02x", (unsigned)blkid_partition_get_type(entry));
    probe_set_text(p.uuid, sizeof p.uuid, blkid_partition_get_uuid(entry));
    probe_set_text(p.name, sizeof p.name, gpt ? blkid_partition_get_name(entry) : NULL);
    if (blkid_partition_is_extended(entry)) {
        if (listing->extended_count < ARRAY_LEN(listing->extended))
            listing->extended[listing->extended_count++] = p;
        return 0;
    }
    struct partitions *all = listing->all;
    if (all->count == PARTITIONS_MAX)
        return error_set(err, "more than %d partitions", PARTITIONS_MAX);
    *APPEND(all->items, all->count, listing->cap) = p;
    return 0;
}

static bool known_table(const struct partitions *all)
{
    return strcmp(all->table, "gpt") == 0 || strcmp(all->table, "dos") == 0;
}

/* Reads what the view shows of the table; leaves an empty list when there is none. */
static int list_table(const struct view *view, struct listing *listing, struct error *err)
{
    blkid_probe probe AUTO_PROBE = NULL;
    if (probe_open(view, 0, 0, &probe, err) < 0)
        return -1;
    blkid_probe_enable_superblocks(probe, 0);
    blkid_probe_enable_partitions(probe, 1);
    blkid_partlist list = blkid_probe_get_partitions(probe);
    blkid_parttable table = list ? blkid_partlist_get_table(list) : NULL;
    struct partitions *all = listing->all;
    all->count = listing->extended_count = 0;
    probe_set_text(all->table, sizeof all->table, table ? blkid_parttable_get_type(table) : NULL);
    int n = list && known_table(all) ? blkid_partlist_numof_partitions(list) : 0;
    for (int i = 0; i < n; i++) {
        blkid_partition entry = blkid_partlist_get_partition(list, i);
        /* Not the slices of a BSD label inside of a partition. */
        if (blkid_partition_get_table(entry) == table &&
            take_entry(listing, entry, strcmp(all->table, "gpt") == 0, err) < 0)
            return -1;
    }
    return 0;
}

static int show_sector(void *ctx, uint64_t at, struct error *err)
{
    return view_show(ctx, at, SECTOR_SIZE, err);
}

static int check_end(const struct partition *p, uint64_t disk, struct error *err)
{
    if (p->start > disk || p->size > disk - p->start)
        return error_set(err, "partition %u reaches beyond the end of the disk", p->number);
    return 0;
}

static int read_table(struct view *view, struct listing *listing, struct error *err)
{
    uint64_t size = blocks_size(view->blocks);
    uint64_t tail = size < TABLE_AREA ? size : TABLE_AREA;
    if (gpt_check(view->blocks, err) < 0 || view_show(view, 0, tail, err) < 0 ||
        view_show(view, size - tail, tail, err) < 0 || list_table(view, listing, err) < 0)
        return -1;
    if (listing->extended_count == 0)
        return 0;
    for (size_t i = 0; i < listing->extended_count; i++)
        if (check_end(&listing->extended[i], size, err) < 0)
            return -1;
    if (mbr_follow_logical(view->blocks, show_sector, view, err) < 0)
        return -1;
    return view->copy ? list_table(view, listing, err) : 0;
}

/* A disk that is one file system. Linux, too, prefers a table with partitions to it. */
static int read_whole(struct view *view, struct listing *listing, struct error *err)
{
    struct partitions *all = listing->all;
    struct partition p = {.size = blocks_size(view->blocks)};
    if (probe_partition(view, &p, err) < 0)
        return -1;
    if (*p.fs) {
        *APPEND(all->items, all->count, listing->cap) = p;
        all->table[0] = '\0';
    }
    return 0;
}

static bool overlap(const struct partition *a, const struct partition *b)
{
    return a->start < b->start + b->size && b->start < a->start + a->size;
}

static bool within(const struct partition *inner, const struct partition *outer)
{
    return inner->start >= outer->start && inner->start + inner->size <= outer->start + outer->size;
}

static int check_extended(const struct listing *listing, const struct partition *p,
                          struct error *err)
{
    bool logical = p->number > 4, inside = false;
    for (size_t i = 0; i < listing->extended_count; i++) {
        const struct partition *outer = &listing->extended[i];
        if (!logical && overlap(p, outer))
            return error_set(err, "partitions %u and %u overlap", p->number, outer->number);
        inside = inside || within(p, outer);
    }
    if (logical && !inside)
        return error_set(err, "logical partition %u is not within the extended one", p->number);
    return 0;
}

static int check_layout(const struct listing *listing, uint64_t disk, struct error *err)
{
    const struct partitions *all = listing->all;
    for (size_t i = 0; i < all->count; i++) {
        const struct partition *p = &all->items[i];
        if (check_end(p, disk, err) < 0)
            return -1;
        for (size_t j = 0; j < i; j++)
            if (overlap(&all->items[j], p))
                return error_set(err, "partitions %u and %u overlap", all->items[j].number,
                                 p->number);
        if (strcmp(all->table, "dos") == 0 && check_extended(listing, p, err) < 0)
            return -1;
    }
    return 0;
}

static int by_number(const void *a, const void *b)
{
    unsigned left = ((const struct partition *)a)->number;
    unsigned right = ((const struct partition *)b)->number;
    return (left > right) - (left < right);
}

static int read_disk(struct view *view, struct listing *listing, struct error *err)
{
    struct partitions *all = listing->all;
    if (read_table(view, listing, err) < 0)
        return -1;
    if (all->count == 0) {
        if (read_whole(view, listing, err) < 0)
            return -1;
        if (*all->table && !known_table(all))
            return error_set(err, "a partition table of the type %s; GPT or MBR is needed",
                             all->table);
        return 0;
    }
    if (check_layout(listing, blocks_size(view->blocks), err) < 0)
        return -1;
    for (size_t i = 0; i < all->count; i++)
        if (probe_partition(view, &all->items[i], err) < 0)
            return -1;
    qsort(all->items, all->count, sizeof *all->items, by_number);
    return 0;
}

int partitions_read(struct blocks *blocks, struct partitions *out, struct error *err)
{
    struct view view AUTO_VIEW = {.fd = -1};
    struct partitions all AUTO_PARTITIONS = {.count = 0};
    struct listing listing = {.all = &all};
    if (blocks_size(blocks) < SMALLEST_DISK)
        return error_set(err, "no disk: %llu bytes are too few",
                         (unsigned long long)blocks_size(blocks));
    if (view_open(blocks, &view, err) < 0 || read_disk(&view, &listing, err) < 0)
        return -1;
    *out = all;
    all = (struct partitions){.count = 0};
    return 0;
}

void partitions_free(struct partitions *all)
{
    free(all->items);
    *all = (struct partitions){.count = 0};
}
