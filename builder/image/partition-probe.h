/* libblkid on a view of a disk, and what it says about one partition. */
#ifndef NB_BUILDER_PARTITION_PROBE_H
#define NB_BUILDER_PARTITION_PROBE_H

#include <blkid/blkid.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/image/partition-view.h"
#include "builder/image/partition.h"
#include "common/attributes.h"
#include "common/error.h"

/* Opens a prober for a range of the disk; a size of 0 means all of it. */
int probe_open(const struct view *view, uint64_t start, uint64_t size, blkid_probe *probe,
               struct error *err) NONNULL(1, 4, 5) MUST_CHECK;

/* Frees the prober. */
void probe_free_at(blkid_probe *probe);
#define AUTO_PROBE __attribute__((cleanup(probe_free_at)))

/* Copies a text of libblkid's as far as it fits; NULL is "". */
void probe_set_text(char *text, size_t size, const char *value) NONNULL(1);

/* Sets what lies in the partition: fs, fs_uuid, fs_label. */
int probe_partition(struct view *view, struct partition *partition, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
