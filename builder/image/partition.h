/* The partitions of a disk and what lies in them, as libblkid sees it. */
#ifndef NB_BUILDER_PARTITION_H
#define NB_BUILDER_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "builder/image/blocks.h"
#include "common/attributes.h"
#include "common/error.h"

enum { PARTITIONS_MAX = 128, PARTITION_TEXT_MAX = 64 };

/* fs of a partition that holds the superblocks of more than one file system. */
#define PARTITION_AMBIGUOUS "ambiguous"

/* One partition; texts are "" when there is nothing to say. */
struct partition {
    unsigned number;                       /* 1, 15: as behind /dev/vda */
    uint64_t start, size;                  /* bytes */
    char type[PARTITION_TEXT_MAX];         /* GPT: a UUID, MBR: 0x83; lower case */
    char uuid[PARTITION_TEXT_MAX];         /* PARTUUID */
    char name[PARTITION_TEXT_MAX * 4];     /* PARTLABEL, GPT only */
    char fs[PARTITION_TEXT_MAX];           /* "ext4", "vfat", "xfs", "LVM2_member", … */
    char fs_uuid[PARTITION_TEXT_MAX];      /* UUID */
    char fs_label[PARTITION_TEXT_MAX * 4]; /* LABEL */
};

/* All partitions, by number, without the extended ones of an MBR, which only hold others. A disk
 * without a table that holds a file system itself counts as one partition of the number 0. */
struct partitions {
    char table[PARTITION_TEXT_MAX]; /* "gpt", "dos", or "" without a table */
    struct partition *items;
    size_t count;
};

/* Reads the table, GPT or MBR. Damage (of the first GPT, even when its copy is whole), a partition
 * that reaches beyond the end of the disk or into another, and more than PARTITIONS_MAX are
 * errors. */
int partitions_read(struct blocks *blocks, struct partitions *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* The partition that a spec of fstab names (UUID=, LABEL=, PARTUUID=, PARTLABEL=, /dev/sda1 by its
 * number), or NULL; NULL also when it names more than one. */
const struct partition *partitions_find(const struct partitions *all, const char *spec)
    NONNULL(1, 2);

/* Frees what the struct holds. */
void partitions_free(struct partitions *all);
#define AUTO_PARTITIONS __attribute__((cleanup(partitions_free)))

#endif
