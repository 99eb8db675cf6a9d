/* What libblkid passes over in silence when it reads a partition table: damage that would only
 * show as a partition less. */
#ifndef NB_BUILDER_PARTITION_TABLE_H
#define NB_BUILDER_PARTITION_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "builder/image/blocks.h"
#include "common/attributes.h"
#include "common/error.h"

enum { SECTOR_SIZE = 512, TABLE_AREA = 1 << 20 /* a table lies in the disk's first MiB */ };

/* A number of n bytes, at most 8, the least one first. */
uint64_t disk_number(const unsigned char *bytes, size_t n) NONNULL(1);

/* Refuses a GPT whose first copy is damaged, made for another size of sectors or for a larger disk,
 * or that holds a partition outside of its room. A disk without a protective MBR passes. */
int gpt_check(struct blocks *blocks, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Is told of the place of a sector, in bytes. */
typedef int sector_visitor(void *ctx, uint64_t at, struct error *err);

/* Follows the chains of logical partitions of an MBR, visiting each of their tables. A chain that
 * is damaged, leaves its extended partition or does not end is an error. */
int mbr_follow_logical(struct blocks *blocks, sector_visitor *visit, void *ctx, struct error *err)
    NONNULL(1, 2, 4) MUST_CHECK;

#endif
