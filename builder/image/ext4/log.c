#include "builder/image/ext4/log.h"

#include <ext2fs/ext2fs.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

#define MAGIC 0xc03b3998U

enum { HEADER = 12, UUID = 16, SUPERBLOCK = 1024, FAST_COMMIT_BLOCKS = 256 };
enum record { DESCRIPTOR = 1, COMMIT = 2, SUPER_V1 = 3, SUPER_V2 = 4, REVOKE = 5 };
enum { COMPAT_CHECKSUM = 1 };
enum feature { HAS_REVOKE = 1, WIDE = 2, CSUM_V2 = 8, CSUM_V3 = 16, FAST_COMMIT = 32 };
enum tag_flag { ESCAPED = 1, SAME_UUID = 2, LAST_TAG = 8 };

/* Offsets in the superblock, in the commit record and in revocations. */
enum {
    SB_BLOCK_SIZE = 12,
    SB_BLOCKS = 16,
    SB_FIRST = 20,
    SB_SEQUENCE = 24,
    SB_START = 28,
    SB_COMPAT = 36,
    SB_INCOMPAT = 40,
    SB_UUID = 48,
    SB_CHECKSUM_TYPE = 80,
    SB_FAST_BLOCKS = 84,
    SB_CHECKSUM = 252,
    COMMIT_KIND = 12,
    COMMIT_CHECKSUM = 16,
    REVOKE_BYTES = 12,
    REVOKE_LIST = 16,
    CRC32 = 0x104, /* a kind, and its size */
    CRC32C = 4
};

/* A block that a transaction holds. */
struct tag {
    struct log_block block;
    uint32_t sequence, checksum;
    size_t order;
};

/* Older contents of the block must not come back. */
struct revocation {
    uint64_t block;
    uint32_t sequence;
};

struct log {
    const struct log_file *file;
    uint32_t first, end; /* of the ring */
    uint32_t features, seed;
    uint32_t at, sequence; /* of the next record */
    uint32_t steps;        /* blocks that were walked over */
    bool summed;           /* commit records hold checksums of the first kind, over all blocks */
    uint32_t sum;
    char *bytes, *data; /* one block each */
    struct tag *tags;
    struct revocation *revocations;
    size_t tag_count, tag_cap, revocation_count, revocation_cap;
    size_t whole_tags, whole_revocations; /* those of transactions that were committed */
};

static void log_free(struct log *log)
{
    free(log->bytes);
    free(log->data);
    free(log->tags);
    free(log->revocations);
}
#define AUTO_LOG __attribute__((cleanup(log_free)))

static uint32_t number(const char *bytes, size_t n)
{
    uint32_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

static uint32_t be32(const char *bytes)
{
    return number(bytes, 4);
}

static uint32_t crc(uint32_t seed, const void *bytes, size_t n)
{
    return ext2fs_crc32c_le(seed, bytes, n);
}

static bool has_checksums(const struct log *log)
{
    return log->features & (CSUM_V2 | CSUM_V3);
}

/* Is the checksum that stands at the offset that of the bytes with zeros in its place? */
static bool sum_fits(const struct log *log, uint32_t seed, size_t n, size_t at)
{
    static const char zeros[4];
    uint32_t sum = crc(seed, log->bytes, at);
    sum = crc(sum, zeros, sizeof zeros);
    sum = crc(sum, log->bytes + at + sizeof zeros, n - at - sizeof zeros);
    return sum == be32(log->bytes + at);
}

static int check_features(struct log *log, struct error *err)
{
    const uint32_t known = HAS_REVOKE | WIDE | CSUM_V2 | CSUM_V3 | FAST_COMMIT;
    if (be32(log->bytes + 4) != SUPER_V2)
        return 0;
    log->summed = be32(log->bytes + SB_COMPAT) & COMPAT_CHECKSUM;
    log->features = be32(log->bytes + SB_INCOMPAT);
    if (log->features & ~known)
        return error_set(err, "it has features that are unknown here (0x%x)",
                         log->features & ~known);
    if (!has_checksums(log))
        return 0;
    if (log->bytes[SB_CHECKSUM_TYPE] != CRC32C || !sum_fits(log, ~0U, SUPERBLOCK, SB_CHECKSUM))
        return error_set(err, "the checksum of its superblock is wrong");
    log->seed = crc(~0U, log->bytes + SB_UUID, UUID);
    return 0;
}

/* Blocks of fast commits lie behind the ring. */
static uint32_t ring_end(const struct log *log, uint32_t blocks)
{
    uint32_t fast = be32(log->bytes + SB_FAST_BLOCKS);
    if (!(log->features & FAST_COMMIT))
        return blocks;
    fast = fast ? fast : FAST_COMMIT_BLOCKS;
    return fast < blocks ? blocks - fast : 0;
}

/* 1, 0 when there is nothing in the log, or -1. */
static int read_superblock(struct log *log, struct error *err)
{
    const struct log_file *file = log->file;
    if (file->block_size < SUPERBLOCK || file->read(file->ctx, 0, log->bytes, err) < 0)
        return file->block_size < SUPERBLOCK ? error_set(err, "its blocks are too small") : -1;
    uint32_t type = be32(log->bytes + 4), blocks = be32(log->bytes + SB_BLOCKS);
    if (be32(log->bytes) != MAGIC || (type != SUPER_V1 && type != SUPER_V2))
        return error_set(err, "it has no superblock");
    if (check_features(log, err) < 0)
        return -1;
    log->first = be32(log->bytes + SB_FIRST);
    log->end = ring_end(log, blocks);
    log->sequence = be32(log->bytes + SB_SEQUENCE);
    log->at = be32(log->bytes + SB_START);
    if (be32(log->bytes + SB_BLOCK_SIZE) != file->block_size || blocks > file->blocks ||
        log->first == 0 || log->first >= log->end ||
        (log->at && (log->at < log->first || log->at >= log->end)))
        return error_set(err, "its superblock contradicts itself");
    return log->at != 0;
}

static uint32_t behind(const struct log *log, uint32_t at, uint32_t n)
{
    uint32_t ring = log->end - log->first;
    return log->first + (uint32_t)((at - log->first + (uint64_t)n) % ring);
}

static size_t tag_size(const struct log *log)
{
    if (log->features & CSUM_V3)
        return 16;
    return 8U + (log->features & CSUM_V2 ? 2U : 0) + (log->features & WIDE ? 4U : 0);
}

/*   block  flags  high  checksum          with CSUM_V3, 4 bytes each
 *   block  checksum:2  flags:2  [high]    else */
static uint32_t read_tag(const struct log *log, const char *bytes, struct tag *tag)
{
    bool v3 = log->features & CSUM_V3;
    uint32_t flags = v3 ? be32(bytes + 4) : number(bytes + 6, 2);
    tag->block.block = be32(bytes);
    tag->checksum = v3 ? be32(bytes + 12) : number(bytes + 4, 2);
    if (log->features & WIDE)
        tag->block.block |= (uint64_t)be32(bytes + 8) << 32;
    tag->block.escaped = flags & ESCAPED;
    tag->sequence = log->sequence;
    tag->order = log->tag_count;
    return flags;
}

static int add_sum(struct log *log, uint32_t at, struct error *err)
{
    const struct log_file *file = log->file;
    if (!log->summed)
        return 0;
    if (file->read(file->ctx, at, log->data, err) < 0)
        return -1;
    log->sum = ext2fs_crc32_be(log->sum, (unsigned char *)log->data, file->block_size);
    return 0;
}

/* The blocks of log behind a descriptor are those that its tags name, in their order. */
static int take_descriptor(struct log *log, struct error *err)
{
    size_t end = log->file->block_size - (has_checksums(log) ? 4 : 0);
    size_t size = tag_size(log);
    uint32_t n = 0, flags = 0;
    if (has_checksums(log) && !sum_fits(log, log->seed, end + 4, end))
        return 0;
    if (add_sum(log, log->at, err) < 0)
        return -1;
    for (size_t at = HEADER; at + size <= end && !(flags & LAST_TAG);) {
        struct tag tag;
        flags = read_tag(log, log->bytes + at, &tag);
        tag.block.at = behind(log, log->at, ++n);
        *APPEND(log->tags, log->tag_count, log->tag_cap) = tag;
        if (add_sum(log, tag.block.at, err) < 0)
            return -1;
        at += size + (flags & SAME_UUID ? 0 : UUID);
    }
    log->steps += n;
    log->at = behind(log, log->at, n);
    return 1;
}

static int take_revocations(struct log *log)
{
    size_t room = log->file->block_size - (has_checksums(log) ? 4 : 0);
    size_t end = be32(log->bytes + REVOKE_BYTES), size = log->features & WIDE ? 8 : 4;
    if (end > room || (has_checksums(log) && !sum_fits(log, log->seed, room + 4, room)))
        return 0;
    for (size_t at = REVOKE_LIST; at + size <= end; at += size) {
        uint64_t block = be32(log->bytes + at);
        if (size == 8)
            block = block << 32 | be32(log->bytes + at + 4);
        *APPEND(log->revocations, log->revocation_count, log->revocation_cap) =
            (struct revocation){block, log->sequence};
    }
    return 1;
}

/* No checksum at all is good, too. */
static bool is_whole(const struct log *log)
{
    uint32_t kind = number(log->bytes + COMMIT_KIND, 2);
    uint32_t sum = be32(log->bytes + COMMIT_CHECKSUM);
    if (has_checksums(log))
        return sum_fits(log, log->seed, log->file->block_size, COMMIT_CHECKSUM);
    return !log->summed || (kind == CRC32 && sum == log->sum) || (!kind && !sum);
}

static int take_commit(struct log *log)
{
    if (!is_whole(log))
        return 0;
    log->whole_tags = log->tag_count;
    log->whole_revocations = log->revocation_count;
    log->sequence++;
    log->sum = ~0U;
    return 1;
}

/* 1, 0 at the end, or -1. What is no record of the transaction that has its turn ends the log: an
 * older round's rest, or what a power cut left half written. */
static int take_record(struct log *log, struct error *err)
{
    if (be32(log->bytes) != MAGIC || be32(log->bytes + 8) != log->sequence)
        return 0;
    switch (be32(log->bytes + 4)) {
    case DESCRIPTOR:
        return take_descriptor(log, err);
    case REVOKE:
        return take_revocations(log);
    case COMMIT:
        return take_commit(log);
    default:
        return 0;
    }
}

static int walk(struct log *log, struct error *err)
{
    int more = 1;
    while (more > 0 && log->steps < log->end - log->first) {
        if (log->file->read(log->file->ctx, log->at, log->bytes, err) < 0)
            return -1;
        more = take_record(log, err);
        log->at = behind(log, log->at, 1);
        log->steps++;
    }
    return more < 0 ? -1 : 0;
}

static int by_block_and_order(const void *a, const void *b)
{
    const struct tag *x = a, *y = b;
    if (x->block.block != y->block.block)
        return x->block.block < y->block.block ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Sequence numbers wrap. */
static bool not_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) >= 0;
}

static int by_block(const void *a, const void *b)
{
    const struct revocation *x = a, *y = b;
    if (x->block != y->block)
        return x->block < y->block ? -1 : 1;
    return x->sequence == y->sequence ? 0 : not_before(x->sequence, y->sequence) ? 1 : -1;
}

/* Keeps the last revocation of each block. */
static void sort_revocations(struct log *log)
{
    size_t n = 0;
    if (log->whole_revocations)
        qsort(log->revocations, log->whole_revocations, sizeof *log->revocations, by_block);
    for (size_t i = 0; i < log->whole_revocations; i++) {
        if (n && log->revocations[n - 1].block == log->revocations[i].block)
            n--;
        log->revocations[n++] = log->revocations[i];
    }
    log->whole_revocations = n;
}

static int block_against(const void *block, const void *revocation)
{
    uint64_t a = *(const uint64_t *)block, b = ((const struct revocation *)revocation)->block;
    return a < b ? -1 : a > b;
}

static bool is_revoked(const struct log *log, const struct tag *tag)
{
    const struct revocation *found =
        log->whole_revocations ? bsearch(&tag->block.block, log->revocations,
                                         log->whole_revocations, sizeof *found, block_against)
                               : NULL;
    return found && not_before(found->sequence, tag->sequence);
}

static int check_data(const struct log *log, const struct tag *tag, struct error *err)
{
    char sequence[4] = {(char)(tag->sequence >> 24), (char)(tag->sequence >> 16),
                        (char)(tag->sequence >> 8), (char)tag->sequence};
    if (log->file->read(log->file->ctx, tag->block.at, log->bytes, err) < 0)
        return -1;
    uint32_t sum = crc(log->seed, sequence, sizeof sequence);
    sum = crc(sum, log->bytes, log->file->block_size);
    if (tag->checksum == (log->features & CSUM_V3 ? sum : sum & 0xffff))
        return 0;
    return error_set(err, "the checksum of its block %u is wrong", tag->block.at);
}

/* The last content of each block counts, unless it was revoked. */
static int keep_last(struct log *log, struct log_blocks *out, struct error *err)
{
    if (log->whole_tags)
        qsort(log->tags, log->whole_tags, sizeof *log->tags, by_block_and_order);
    for (size_t i = 0; i < log->whole_tags; i++) {
        const struct tag *tag = &log->tags[i];
        bool last = i + 1 == log->whole_tags || log->tags[i + 1].block.block != tag->block.block;
        if (!last || is_revoked(log, tag))
            continue;
        if (has_checksums(log) && check_data(log, tag, err) < 0)
            return -1;
        *APPEND(out->items, out->count, out->cap) = tag->block;
    }
    return 0;
}

int log_read(const struct log_file *file, struct log_blocks *out, struct error *err)
{
    struct log log AUTO_LOG = {.file = file, .sum = ~0U};
    log.bytes = heap_array(file->block_size + 1, 1);
    log.data = heap_array(file->block_size + 1, 1);
    struct log_blocks found AUTO_LOG_BLOCKS = {.count = 0};
    int answer = read_superblock(&log, err);
    if (answer < 0 || (answer > 0 && walk(&log, err) < 0))
        return -1;
    sort_revocations(&log);
    if (keep_last(&log, &found, err) < 0)
        return -1;
    *out = found;
    found = (struct log_blocks){.count = 0};
    return 0;
}

void log_unescape(void *bytes)
{
    static const unsigned char magic[] = {MAGIC >> 24, MAGIC >> 16 & 0xff, MAGIC >> 8 & 0xff,
                                          MAGIC & 0xff};
    memcpy(bytes, magic, sizeof magic);
}

void log_blocks_free(struct log_blocks *blocks)
{
    free(blocks->items);
    *blocks = (struct log_blocks){.count = 0};
}
