#include "tests/write-log.h"

#include <endian.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static const uint64_t magic = 0x6a736677736872;

enum { HEAD = 28, FIELDS = 32, SECTOR_MIN = 512, SECTOR_MAX = 65536, FLAGS = 31 };

static uint64_t number(const unsigned char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

int write_log_begin(struct write_log *log, const void *bytes, size_t len, uint64_t disk,
                    struct error *err)
{
    const unsigned char *head = bytes;
    uint32_t sector;
    if (len < HEAD)
        return error_set(err, "%zu bytes are no log of writes", len);
    if (number(head) != magic)
        return error_set(err, "no log of writes: magic %" PRIx64 ", wanted %" PRIx64, number(head),
                         magic);
    if (number(head + 8) != 1)
        return error_set(err, "a log of version %" PRIu64 ", wanted 1", number(head + 8));
    memcpy(&sector, head + 24, sizeof sector);
    sector = le32toh(sector);
    if (sector < SECTOR_MIN || sector > SECTOR_MAX || (sector & (sector - 1)))
        return error_set(err, "sectors of %" PRIu32 " bytes, wanted a power of two from %d to %d",
                         sector, SECTOR_MIN, SECTOR_MAX);
    if (disk % sector)
        return error_set(err, "a disk of %" PRIu64 " bytes has no whole sectors of %" PRIu32, disk,
                         sector);
    *log = (struct write_log){.bytes = bytes,
                              .len = len,
                              .at = sector,
                              .disk = disk,
                              .entries = number(head + 16),
                              .sector = sector};
    if (log->entries >= len / sector + 1)
        return error_set(err, "%" PRIu64 " entries in a log of %zu bytes", log->entries, len);
    return 0;
}

static int check_mark(const struct write_log *log, uint64_t sectors, uint64_t flags, uint64_t text,
                      struct error *err)
{
    if (!(flags & WRITE_MARK))
        return text ? error_set(err, "%" PRIu64 " bytes of inline data, wanted none", text) : 0;
    if (sectors)
        return error_set(err, "a mark with %" PRIu64 " sectors", sectors);
    if (text > log->sector - FIELDS)
        return error_set(err, "a mark of %" PRIu64 " bytes in one sector", text);
    return 0;
}

static int check_place(const struct write_log *log, uint64_t first, uint64_t sectors,
                       struct error *err)
{
    uint64_t all = log->disk / log->sector;
    if (sectors > all || first > all - sectors)
        return error_set(err,
                         "sectors %" PRIu64 " + %" PRIu64 " of a disk of %" PRIu64
                         " sectors of %" PRIu32 " bytes",
                         first, sectors, all, log->sector);
    return 0;
}

static int read_entry(struct write_log *log, struct write_entry *entry, struct error *err)
{
    if (log->at > log->len || log->len - log->at < log->sector)
        return error_set(err, "the log ends before it");
    const unsigned char *fields = log->bytes + log->at;
    uint64_t first = number(fields), sectors = number(fields + 8), flags = number(fields + 16);
    if (flags & ~(uint64_t)FLAGS)
        return error_set(err, "flags %" PRIx64 ", wanted at most %x", flags, FLAGS);
    if (check_mark(log, sectors, flags, number(fields + 24), err) < 0)
        return -1;
    if (!sectors && !(flags & (WRITE_FLUSH | WRITE_FUA | WRITE_MARK)))
        return error_set(err, "writes nothing");
    if (sectors && check_place(log, first, sectors, err) < 0)
        return -1;
    bool data = sectors && !(flags & WRITE_DISCARD);
    *entry = (struct write_entry){.at = sectors ? first * log->sector : 0,
                                  .len = sectors * log->sector,
                                  .flags = (unsigned)flags};
    log->at += log->sector;
    if (!data)
        return 0;
    if (log->len - log->at < entry->len)
        return error_set(err, "the log ends in its data");
    entry->data = log->bytes + log->at;
    log->at += (size_t)entry->len;
    return 0;
}

int write_log_next(struct write_log *log, struct write_entry *entry, struct error *err)
{
    if (log->read == log->entries)
        return 0;
    log->read++;
    if (read_entry(log, entry, err) < 0)
        return error_context(err, "entry %" PRIu64, log->read);
    return 1;
}
