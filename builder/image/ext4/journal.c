#include "builder/image/ext4/journal.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/ext4/inode.h"
#include "builder/image/ext4/io.h"
#include "builder/image/ext4/log.h"
#include "builder/image/ext4/map.h"

struct journal {
    struct log_blocks blocks;
    uint64_t *physical; /* of each, where its content lies in the file system, in bytes */
    size_t block_size;
};

/* The file that the log lies in. */
struct place_of_log {
    ext2_filsys fs;
    struct map map;
};

static int find_block(const struct place_of_log *log, uint32_t at, uint64_t *physical,
                      struct error *err)
{
    for (size_t i = 0; i < log->map.data.count; i++) {
        const struct run *run = &log->map.data.items[i];
        if (at >= run->logical && at - run->logical < run->count) {
            *physical = (run->physical + at - run->logical) * log->fs->blocksize;
            return 0;
        }
    }
    return error_set(err, "its block %u is missing", at);
}

static int read_block(void *ctx, uint32_t at, void *bytes, struct error *err)
{
    const struct place_of_log *log = ctx;
    uint64_t physical = 0;
    if (find_block(log, at, &physical, err) < 0)
        return -1;
    return ext4_io_read(log->fs, physical, bytes, log->fs->blocksize, err);
}

/* The inode is one of those that no directory points at. */
static int read_map(ext2_filsys fs, struct map *map, uint32_t *blocks, struct error *err)
{
    struct ext2_inode_large raw;
    struct node node = {.fs = fs, .ino = fs->super->s_journal_inum, .raw = &raw};
    errcode_t code = ext2fs_read_inode(fs, node.ino, EXT2_INODE(&raw));
    if (code)
        return ext4_error(err, code, "read inode %u", node.ino);
    if (!LINUX_S_ISREG(raw.i_mode) || !raw.i_links_count)
        return error_set(err, "inode %u is no journal", node.ino);
    uint64_t count = EXT2_I_SIZE(EXT2_INODE(&raw)) / fs->blocksize;
    *blocks = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
    return map_read(&node, map, err);
}

static int read_log(struct place_of_log *log, struct journal *journal, struct error *err)
{
    struct log_file file = {.read = read_block, .ctx = log, .block_size = log->fs->blocksize};
    if (read_map(log->fs, &log->map, &file.blocks, err) < 0 ||
        log_read(&file, &journal->blocks, err) < 0)
        return -1;
    journal->block_size = file.block_size;
    journal->physical = heap_array(journal->blocks.count, sizeof *journal->physical);
    for (size_t i = 0; i < journal->blocks.count; i++)
        if (find_block(log, journal->blocks.items[i].at, &journal->physical[i], err) < 0)
            return -1;
    return 0;
}

int journal_read(ext2_filsys fs, struct journal **out, struct error *err)
{
    struct journal *journal = heap_array(1, sizeof *journal);
    struct place_of_log log = {.fs = fs};
    int result = read_log(&log, journal, err);
    map_free(&log.map);
    if (result < 0 || !journal->blocks.count) {
        journal_free(journal);
        journal = NULL;
    }
    if (result < 0)
        return error_context(err, "the journal");
    *out = journal;
    return 0;
}

/* The first block of the journal that is `block`, or behind it. */
static size_t find_first(const struct journal *journal, uint64_t block)
{
    size_t low = 0, high = journal->blocks.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (journal->blocks.items[middle].block < block)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int journal_apply(const struct journal *journal, struct blocks *blocks, uint64_t start, uint64_t at,
                  void *bytes, size_t n, struct error *err)
{
    if (!journal || !n)
        return 0;
    size_t size = journal->block_size;
    char *block AUTO_FREE = heap_array(size, 1);
    for (size_t i = find_first(journal, at / size); i < journal->blocks.count; i++) {
        const struct log_block *b = &journal->blocks.items[i];
        if (b->block > (at + n - 1) / size)
            break;
        if (blocks_read(blocks, start + journal->physical[i], block, size, err) < 0)
            return -1;
        if (b->escaped)
            log_unescape(block);
        uint64_t from = b->block * size, to = from + size;
        from = from > at ? from : at;
        to = to < at + n ? to : at + n;
        memcpy((char *)bytes + (from - at), block + (from - b->block * size), (size_t)(to - from));
    }
    return 0;
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    log_blocks_free(&journal->blocks);
    free(journal->physical);
    free(journal);
}
