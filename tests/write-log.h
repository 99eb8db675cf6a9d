/* A log of the writes to a disk, in the format of the kernel's dm-log-writes, which QEMU's driver
 * blklogwrites writes, too (Documentation/admin-guide/device-mapper/log-writes.rst and
 * drivers/md/dm-log-writes.c of Linux; block/blklogwrites.c of QEMU). All fields are little-endian:
 *
 *   sector 0           magic u64, version u64, entries u64, sector size u32
 *   [ 1 sector ][ n ]  sector u64, n u64, flags u64, length of a mark u64; then the data, n sectors
 *
 * What is discarded has no data; the text of a mark stands behind the four fields. */
#ifndef NB_TESTS_WRITE_LOG_H
#define NB_TESTS_WRITE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/error.h"

enum write_flag {
    WRITE_FLUSH = 1,
    WRITE_FUA = 2,
    WRITE_DISCARD = 4,
    WRITE_MARK = 8,
    WRITE_METADATA = 16, /* the kernel's remark about what is written */
};

/* A log in memory, and how far it was read. */
struct write_log {
    const unsigned char *bytes;
    size_t len, at;
    uint64_t disk, entries, read; /* disk: its bytes */
    uint32_t sector;              /* bytes */
};

/* An entry: `len` bytes at `at` of the disk. */
struct write_entry {
    uint64_t at, len;
    unsigned flags;
    const unsigned char *data; /* in the log; NULL for what has none */
};

/* Begins to read a log about a disk of that many bytes; the bytes stay the caller's. */
int write_log_begin(struct write_log *log, const void *bytes, size_t len, uint64_t disk,
                    struct error *err) NONNULL(1, 2, 5) MUST_CHECK;

/* The next entry, checked against the log's end and the disk's: 1, or 0 behind the last one. */
int write_log_next(struct write_log *log, struct write_entry *entry, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
