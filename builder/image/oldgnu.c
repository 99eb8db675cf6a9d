/* Sources: the ustar header of POSIX (IEEE Std 1003.1, pax, "ustar Interchange Format"); for the
 * magic, the sparse map and numbers in base 256 the GNU tar manual, "Basic Tar Format", "Old GNU
 * Format" and "Extensions to the Archive Format". `tar --format=oldgnu -S` writes the same bytes.
 *
 *     block 0     0 name  100 mode uid gid size mtime checksum 156 'S'  257 "ustar  "
 *                 386 map: 4 regions    482 more follows?    483 size with holes
 *     block 1…    0 map: 21 regions     504 more follows?
 */
#include "builder/image/oldgnu.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_AT = 0,
    MODE_AT = 100,
    UID_AT = 108,
    GID_AT = 116,
    SIZE_AT = 124,
    MTIME_AT = 136,
    CHECKSUM_AT = 148,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    OWNER_AT = 265,
    GROUP_AT = 297,
    MAP_AT = 386,
    EXTENDED_AT = 482,
    REALSIZE_AT = 483,
    MORE_EXTENDED_AT = 504,

    NAME_MAX_BYTES = 99,
    ID_BYTES = 8,
    NUMBER_BYTES = 12,
    REGION_BYTES = 2 * NUMBER_BYTES,
    FIRST_REGIONS = 4, /* in the first block */
    MORE_REGIONS = 21  /* in each one after it */
};

/* Octal digits and a NUL; what does not fit is in base 256, marked by the highest bit. */
static void put_number(unsigned char *field, size_t bytes, uint64_t number)
{
    uint64_t octal = number;
    for (size_t i = bytes - 1; i-- > 0; octal /= 8)
        field[i] = (unsigned char)('0' + octal % 8);
    field[bytes - 1] = '\0';
    if (octal == 0)
        return;
    for (size_t i = bytes; i-- > 0; number /= 256)
        field[i] = (unsigned char)number;
    field[0] |= 0x80;
}

/* An empty region at the end of the file closes the map. */
static void put_regions(const struct oldgnu_file *file, size_t from, size_t max, unsigned char *map)
{
    for (size_t i = from; i < from + max && i <= file->count; i++, map += REGION_BYTES) {
        struct oldgnu_region end = {.at = file->size};
        const struct oldgnu_region *region = i < file->count ? &file->regions[i] : &end;
        put_number(map, NUMBER_BYTES, region->at);
        put_number(map + NUMBER_BYTES, NUMBER_BYTES, region->n);
    }
}

size_t oldgnu_blocks(const struct oldgnu_file *file)
{
    size_t regions = file->count + 1;
    if (regions <= FIRST_REGIONS)
        return 1;
    return 1 + (regions - FIRST_REGIONS + MORE_REGIONS - 1) / MORE_REGIONS;
}

/* The sum is taken with spaces in its own place, and is six digits, a NUL and a space. */
static void put_checksum(unsigned char block[OLDGNU_BLOCK])
{
    unsigned sum = 0;
    memset(block + CHECKSUM_AT, ' ', ID_BYTES);
    for (size_t i = 0; i < OLDGNU_BLOCK; i++)
        sum += block[i];
    put_number(block + CHECKSUM_AT, ID_BYTES - 1, sum);
}

static void put_first(const struct oldgnu_file *file, unsigned char block[OLDGNU_BLOCK])
{
    uint64_t held = 0;
    for (size_t i = 0; i < file->count; i++)
        held += file->regions[i].n;
    memcpy(block + NAME_AT, file->name, strnlen(file->name, NAME_MAX_BYTES));
    put_number(block + MODE_AT, ID_BYTES, 0644);
    put_number(block + UID_AT, ID_BYTES, 0);
    put_number(block + GID_AT, ID_BYTES, 0);
    put_number(block + SIZE_AT, NUMBER_BYTES, held);
    put_number(block + MTIME_AT, NUMBER_BYTES, (uint64_t)file->mtime);
    block[TYPE_AT] = 'S';
    memcpy(block + MAGIC_AT, "ustar  ", sizeof "ustar  ");
    memcpy(block + OWNER_AT, "root", sizeof "root");
    memcpy(block + GROUP_AT, "root", sizeof "root");
    put_regions(file, 0, FIRST_REGIONS, block + MAP_AT);
    block[EXTENDED_AT] = file->count + 1 > FIRST_REGIONS;
    put_number(block + REALSIZE_AT, NUMBER_BYTES, file->size);
    put_checksum(block);
}

void oldgnu_block(const struct oldgnu_file *file, size_t n, unsigned char block[OLDGNU_BLOCK])
{
    memset(block, 0, OLDGNU_BLOCK);
    if (n == 0) {
        put_first(file, block);
        return;
    }
    size_t from = FIRST_REGIONS + (n - 1) * MORE_REGIONS;
    put_regions(file, from, MORE_REGIONS, block);
    block[MORE_EXTENDED_AT] = file->count + 1 > from + MORE_REGIONS;
}
