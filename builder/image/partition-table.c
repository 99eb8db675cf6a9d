#include "builder/image/partition-table.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <zlib.h>

#include "builder/heap.h"

/*  sector 0          1            2 … 33            34 …                last
 *  +----------------+------------+-----------------+-------------------+-----------------------+
 *  | protective MBR | GPT header | 128 GPT entries | room for          | copy: entries, header |
 *  | (type 0xee)    |            | of 128 bytes    | partitions        |                       |
 *  +----------------+------------+-----------------+-------------------+-----------------------+
 */
enum {
    MBR_ENTRIES = 446,
    MBR_ENTRY_SIZE = 16,
    MBR_ENTRY_COUNT = 4,
    MBR_GPT = 0xee,
    GPT_HEADER_MIN = 92,
    GPT_ENTRY_SIZE = 128,
    LINKS_MAX = 256 /* of a chain of logical partitions */
};

#define GPT_REPAIR "; sgdisk or gdisk repairs it from the copy at the disk's end"

uint64_t disk_number(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    while (n--)
        value = value << 8 | bytes[n];
    return value;
}

/* An entry of an MBR, or of a logical partition's table. */
struct mbr_entry {
    unsigned type;
    uint64_t start, size; /* sectors; the start counts from a place that depends */
};

static bool mbr_signed(const unsigned char sector[SECTOR_SIZE])
{
    return sector[510] == 0x55 && sector[511] == 0xaa;
}

static struct mbr_entry mbr_entry(const unsigned char sector[SECTOR_SIZE], size_t i)
{
    const unsigned char *entry = sector + MBR_ENTRIES + i * MBR_ENTRY_SIZE;
    return (struct mbr_entry){entry[4], disk_number(entry + 8, 4), disk_number(entry + 12, 4)};
}

static bool extended(struct mbr_entry entry)
{
    return entry.size && (entry.type == 0x05 || entry.type == 0x0f || entry.type == 0x85);
}

struct gpt {
    uint64_t header_size, own, copy, first, last, entries, count, entry_size, entries_crc;
};

static struct gpt gpt_parse(const unsigned char *header)
{
    return (struct gpt){.header_size = disk_number(header + 12, 4),
                        .own = disk_number(header + 24, 8),
                        .copy = disk_number(header + 32, 8),
                        .first = disk_number(header + 40, 8),
                        .last = disk_number(header + 48, 8),
                        .entries = disk_number(header + 72, 8),
                        .count = disk_number(header + 80, 4),
                        .entry_size = disk_number(header + 84, 4),
                        .entries_crc = disk_number(header + 88, 4)};
}

/* The checksum is counted with zeros in its own place. */
static bool header_whole(const unsigned char sector[SECTOR_SIZE])
{
    static const unsigned char zeros[4];
    uint64_t size = disk_number(sector + 12, 4);
    if (size < GPT_HEADER_MIN || size > SECTOR_SIZE)
        return false;
    uLong crc = crc32(0, sector, 16);
    crc = crc32(crc, zeros, sizeof zeros);
    crc = crc32(crc, sector + 20, (uInt)(size - 20));
    return crc == disk_number(sector + 16, 4);
}

static int check_header(const struct gpt *gpt, uint64_t sectors, struct error *err)
{
    if (gpt->own != 1 || gpt->first > gpt->last)
        return error_set(err, "the GPT is damaged: its header contradicts itself" GPT_REPAIR);
    if (gpt->last >= sectors || gpt->copy >= sectors)
        return error_set(err,
                         "the GPT is that of a disk of %llu sectors, and the image has %llu: was "
                         "it cut short?",
                         (unsigned long long)gpt->copy + 1, (unsigned long long)sectors);
    if (gpt->entry_size != GPT_ENTRY_SIZE)
        return error_set(err, "the GPT has entries of %llu bytes; %d is what is read here",
                         (unsigned long long)gpt->entry_size, GPT_ENTRY_SIZE);
    uint64_t bytes = gpt->count * GPT_ENTRY_SIZE;
    if (gpt->entries < 2 || gpt->entries > TABLE_AREA / SECTOR_SIZE ||
        bytes > TABLE_AREA - gpt->entries * SECTOR_SIZE ||
        gpt->entries * SECTOR_SIZE + bytes > gpt->first * SECTOR_SIZE)
        return error_set(err, "the GPT's entries lie outside of the first MiB, or among the "
                              "partitions");
    return 0;
}

static int check_entries(struct blocks *blocks, const struct gpt *gpt, struct error *err)
{
    static const unsigned char unused[16];
    size_t bytes = (size_t)gpt->count * GPT_ENTRY_SIZE;
    unsigned char *entries AUTO_FREE = heap_array(bytes + 1, 1);
    if (blocks_read(blocks, gpt->entries * SECTOR_SIZE, entries, bytes, err) < 0)
        return -1;
    if (crc32(0, entries, (uInt)bytes) != gpt->entries_crc)
        return error_set(err, "the GPT is damaged: wrong checksum of its entries" GPT_REPAIR);
    for (size_t i = 0; i < gpt->count; i++) {
        const unsigned char *entry = entries + i * GPT_ENTRY_SIZE;
        uint64_t first = disk_number(entry + 32, 8), last = disk_number(entry + 40, 8);
        if (memcmp(entry, unused, sizeof unused) == 0)
            continue;
        if (first < gpt->first || last > gpt->last || first > last)
            return error_set(err,
                             "partition %zu (sectors %llu to %llu) is not within the sectors %llu "
                             "to %llu that the GPT has for partitions",
                             i + 1, (unsigned long long)first, (unsigned long long)last,
                             (unsigned long long)gpt->first, (unsigned long long)gpt->last);
    }
    return 0;
}

static bool protective(const unsigned char sector[SECTOR_SIZE])
{
    for (size_t i = 0; i < MBR_ENTRY_COUNT; i++)
        if (mbr_signed(sector) && mbr_entry(sector, i).type == MBR_GPT)
            return true;
    return false;
}

static bool has_signature(const unsigned char *header)
{
    return memcmp(header, "EFI PART", 8) == 0;
}

int gpt_check(struct blocks *blocks, struct error *err)
{
    enum { LARGE_SECTOR = 4096 };
    unsigned char start[LARGE_SECTOR + SECTOR_SIZE];
    if (blocks_size(blocks) < sizeof start)
        return 0;
    if (blocks_read(blocks, 0, start, sizeof start, err) < 0)
        return -1;
    const unsigned char *header = start + SECTOR_SIZE;
    if (!protective(start))
        return 0;
    if (!has_signature(header) && has_signature(start + LARGE_SECTOR))
        return error_set(err, "the GPT is for sectors of %d bytes; %d is needed", LARGE_SECTOR,
                         SECTOR_SIZE);
    if (!has_signature(header) || !header_whole(header))
        return error_set(err, "the GPT is damaged: no whole header in sector 1" GPT_REPAIR);
    struct gpt gpt = gpt_parse(header);
    if (check_header(&gpt, blocks_size(blocks) / SECTOR_SIZE, err) < 0)
        return -1;
    return check_entries(blocks, &gpt, err);
}

/* The link to the next table: 1 and *next set, or 0 at the chain's end. */
static int next_link(const unsigned char sector[SECTOR_SIZE], struct mbr_entry *next)
{
    for (size_t i = 0; i < MBR_ENTRY_COUNT; i++) {
        *next = mbr_entry(sector, i);
        if (extended(*next) && next->start)
            return 1;
    }
    return 0;
}

static int follow_chain(struct blocks *blocks, struct mbr_entry whole, sector_visitor *visit,
                        void *ctx, struct error *err)
{
    unsigned char sector[SECTOR_SIZE];
    struct mbr_entry link = {.start = 0};
    for (unsigned links = 0; links < LINKS_MAX; links++) {
        uint64_t at = (whole.start + link.start) * SECTOR_SIZE;
        if (link.start >= whole.size || !whole.start)
            return error_set(err, "the chain of logical partitions leaves its extended partition");
        if (blocks_read(blocks, at, sector, sizeof sector, err) < 0)
            return error_context(err, "the chain of logical partitions");
        if (!mbr_signed(sector))
            return error_set(err, "the chain of logical partitions is damaged at sector %llu",
                             (unsigned long long)at / SECTOR_SIZE);
        if (visit(ctx, at, err) < 0)
            return -1;
        if (!next_link(sector, &link))
            return 0;
    }
    return error_set(err, "the chain of logical partitions does not end");
}

int mbr_follow_logical(struct blocks *blocks, sector_visitor *visit, void *ctx, struct error *err)
{
    unsigned char sector[SECTOR_SIZE];
    if (blocks_read(blocks, 0, sector, sizeof sector, err) < 0)
        return -1;
    for (size_t i = 0; i < MBR_ENTRY_COUNT; i++) {
        struct mbr_entry entry = mbr_entry(sector, i);
        if (extended(entry) && follow_chain(blocks, entry, visit, ctx, err) < 0)
            return -1;
    }
    return 0;
}
