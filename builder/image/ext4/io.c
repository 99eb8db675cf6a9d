/* libext2fs' way to the disk. It lies over blocks.h instead of libext2fs' own one so that qcow2
 * images are edited too, and so that nothing outside of the partition is ever touched. */
#include "builder/image/ext4/io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/ext4/cache.h"
#include "builder/image/ext4/journal.h"

/* What lies behind one io_channel. */
struct io {
    struct blocks *blocks;
    uint64_t start, size;    /* of the partition, in bytes */
    struct journal *journal; /* shown over what is read, or NULL */
    struct cache cache;
};

/* io_manager.open gets a name only. */
static _Thread_local struct io *opening;

/* libext2fs carries codes, no texts: this one is for the next ext4_error. */
static _Thread_local struct error failure;

static errcode_t failed(const struct error *err)
{
    failure = *err;
    return EIO;
}

int ext4_error(struct error *err, errcode_t code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s",
             *failure.text ? failure.text : error_message(code));
    failure = (struct error)ERROR_INIT;
    return -1;
}

static int check_range(const struct io *io, uint64_t at, uint64_t n, struct error *err)
{
    if (at > io->size || n > io->size - at)
        return error_set(err, "the file system points at byte %llu, outside of its partition",
                         (unsigned long long)at);
    return 0;
}

/* libext2fs counts in blocks, or in bytes when the count is negative. */
static int find_range(const struct io *io, int block_size, uint64_t block, int count, uint64_t *at,
                      size_t *n, struct error *err)
{
    uint64_t size = (uint64_t)block_size;
    if (block > io->size / size)
        return error_set(err, "the file system points at block %llu, outside of its partition",
                         (unsigned long long)block);
    *at = block * size;
    *n = count < 0 ? (size_t) - (int64_t)count : (size_t)count * size;
    return check_range(io, *at, *n, err);
}

static int read_range(struct io *io, uint64_t at, void *bytes, size_t n, struct error *err)
{
    if (blocks_read(io->blocks, io->start + at, bytes, n, err) < 0)
        return -1;
    return journal_apply(io->journal, io->blocks, io->start, at, bytes, n, err);
}

static errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void *bytes)
{
    struct error err = ERROR_INIT;
    struct io *io = channel->private_data;
    uint64_t at = 0;
    size_t n = 0;
    const char *held = count == 1 ? cache_find(&io->cache, block) : NULL;
    if (held) {
        memcpy(bytes, held, io->cache.block_size);
        return 0;
    }
    if (find_range(io, channel->block_size, block, count, &at, &n, &err) < 0 ||
        read_range(io, at, bytes, n, &err) < 0)
        return failed(&err);
    if (count == 1)
        cache_put(&io->cache, block, bytes);
    return 0;
}

static errcode_t read_blocks32(io_channel channel, unsigned long block, int count, void *bytes)
{
    return read_blocks(channel, block, count, bytes);
}

static errcode_t write_range(struct io *io, uint64_t at, const void *bytes, size_t n)
{
    struct error err = ERROR_INIT;
    cache_drop(&io->cache, at, n);
    if (check_range(io, at, n, &err) < 0 ||
        blocks_write(io->blocks, io->start + at, bytes, n, &err) < 0)
        return failed(&err);
    return 0;
}

/* libext2fs writes all bitmaps and descriptors when one has changed. What is the same on the disk
 * is left alone, so that an overlay holds only what differs. */
static errcode_t write_block(io_channel channel, uint64_t block, const char *bytes)
{
    struct io *io = channel->private_data;
    size_t n = io->cache.block_size;
    const char *held = cache_find(&io->cache, block);
    if (!held) {
        char *old AUTO_FREE = heap_array(n, 1);
        errcode_t code = read_blocks(channel, block, 1, old);
        if (code)
            return code;
        held = cache_find(&io->cache, block);
    }
    if (held && memcmp(held, bytes, n) == 0)
        return 0;
    errcode_t code = write_range(io, block * n, bytes, n);
    if (code)
        return code;
    cache_put(&io->cache, block, bytes);
    return 0;
}

static errcode_t write_blocks(io_channel channel, unsigned long long block, int count,
                              const void *bytes)
{
    struct error err = ERROR_INIT;
    struct io *io = channel->private_data;
    uint64_t at = 0;
    size_t n = 0;
    if (count < 0)
        return find_range(io, channel->block_size, block, count, &at, &n, &err) < 0
                   ? failed(&err)
                   : write_range(io, at, bytes, n);
    for (int i = 0; i < count; i++) {
        const char *from = (const char *)bytes + (size_t)i * io->cache.block_size;
        errcode_t code = write_block(channel, block + (unsigned)i, from);
        if (code)
            return code;
    }
    return 0;
}

static errcode_t write_blocks32(io_channel channel, unsigned long block, int count,
                                const void *bytes)
{
    return write_blocks(channel, block, count, bytes);
}

static errcode_t write_bytes(io_channel channel, unsigned long at, int count, const void *bytes)
{
    return count < 0 ? EINVAL : write_range(channel->private_data, at, bytes, (size_t)count);
}

static errcode_t set_block_size(io_channel channel, int size)
{
    struct io *io = channel->private_data;
    if (channel->block_size != size)
        cache_reset(&io->cache, (size_t)size);
    channel->block_size = size;
    return 0;
}

/* Writes are through already. */
static errcode_t flush(io_channel channel)
{
    (void)channel;
    return 0;
}

static errcode_t close_channel(io_channel channel)
{
    if (--channel->refcount > 0)
        return 0;
    struct io *io = channel->private_data;
    cache_free(&io->cache);
    journal_free(io->journal);
    free(io);
    free(channel->name);
    free(channel);
    return 0;
}

static errcode_t open_channel(const char *name, int flags, io_channel *out);

/* Without get_stats, libext2fs counts no written bytes in the superblock. */
static struct struct_io_manager manager = {
    .magic = EXT2_ET_MAGIC_IO_MANAGER,
    .name = "nodebake",
    .open = open_channel,
    .close = close_channel,
    .set_blksize = set_block_size,
    .read_blk = read_blocks32,
    .write_blk = write_blocks32,
    .flush = flush,
    .write_byte = write_bytes,
    .read_blk64 = read_blocks,
    .write_blk64 = write_blocks,
};

static errcode_t open_channel(const char *name, int flags, io_channel *out)
{
    (void)flags;
    io_channel channel = heap_array(1, sizeof *channel);
    channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
    channel->manager = &manager;
    channel->name = heap_copy(name);
    channel->refcount = 1;
    channel->private_data = opening;
    opening = NULL;
    *out = channel;
    return set_block_size(channel, 1024);
}

/* Takes the journal, also on -1. */
static int open_over(struct blocks *blocks, const struct partition *partition,
                     struct journal *journal, int flags, ext2_filsys *out, struct error *err)
{
    failure = (struct error)ERROR_INIT;
    opening = heap_array(1, sizeof *opening);
    *opening = (struct io){
        .blocks = blocks, .start = partition->start, .size = partition->size, .journal = journal};
    ext2_filsys fs = NULL;
    /* Multi-mount protection would write the real time, and the process, into the image. */
    errcode_t code =
        ext2fs_open("image", flags | EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP, 0, 0, &manager, &fs);
    if (opening)
        journal_free(opening->journal);
    free(opening);
    opening = NULL;
    if (code)
        return ext4_error(err, code, "open the file system of partition %u", partition->number);
    if (ext2fs_blocks_count(fs->super) > partition->size / fs->blocksize) {
        ext2fs_free(fs);
        return error_set(err, "the file system is larger than its partition %u", partition->number);
    }
    *out = fs;
    return 0;
}

static int check_partition(struct blocks *blocks, const struct partition *partition,
                           struct error *err)
{
    uint64_t disk = blocks_size(blocks);
    if (partition->start > disk || partition->size > disk - partition->start)
        return error_set(err, "partition %u reaches behind the end of the disk", partition->number);
    initialize_ext2_error_table();
    return 0;
}

int ext4_fs_open(struct blocks *blocks, const struct partition *partition, bool writable,
                 time_t now, ext2_filsys *out, struct error *err)
{
    ext2_filsys fs = NULL;
    if (check_partition(blocks, partition, err) < 0 ||
        open_over(blocks, partition, NULL, writable ? EXT2_FLAG_RW : 0, &fs, err) < 0)
        return -1;
    /* 0 means the real time to libext2fs. */
    fs->now = now ? now : 1;
    *out = fs;
    return 0;
}

int ext4_fs_open_recovered(struct blocks *blocks, const struct partition *partition,
                           ext2_filsys *out, struct error *err)
{
    ext2_filsys fs = NULL;
    struct journal *journal = NULL;
    if (check_partition(blocks, partition, err) < 0 ||
        open_over(blocks, partition, NULL, 0, &fs, err) < 0)
        return -1;
    int result = journal_read(fs, &journal, err);
    ext2fs_free(fs);
    return result < 0 ? -1 : open_over(blocks, partition, journal, 0, out, err);
}

int ext4_fs_close(ext2_filsys fs, struct error *err)
{
    if (!fs)
        return 0;
    errcode_t code = ext2fs_close(fs);
    if (!code)
        return 0;
    ext2fs_free(fs);
    return ext4_error(err, code, "write the file system back");
}

static int find_bytes(ext2_filsys fs, uint64_t at, uint64_t n, struct io **io, struct error *err)
{
    *io = fs->io->private_data;
    return check_range(*io, at, n, err);
}

int ext4_io_read(ext2_filsys fs, uint64_t at, void *bytes, size_t n, struct error *err)
{
    struct io *io;
    if (find_bytes(fs, at, n, &io, err) < 0)
        return -1;
    return read_range(io, at, bytes, n, err);
}

int ext4_io_write(ext2_filsys fs, uint64_t at, const void *bytes, size_t n, struct error *err)
{
    struct io *io;
    if (find_bytes(fs, at, n, &io, err) < 0)
        return -1;
    cache_drop(&io->cache, at, n);
    return blocks_write(io->blocks, io->start + at, bytes, n, err);
}

int ext4_io_zero(ext2_filsys fs, uint64_t at, uint64_t n, struct error *err)
{
    struct io *io;
    if (find_bytes(fs, at, n, &io, err) < 0)
        return -1;
    cache_drop(&io->cache, at, n);
    return blocks_zero(io->blocks, io->start + at, n, err);
}

int ext4_io_copy(ext2_filsys fs, uint64_t at, int fd, uint64_t from, uint64_t n, struct error *err)
{
    struct io *io;
    if (find_bytes(fs, at, n, &io, err) < 0)
        return -1;
    cache_drop(&io->cache, at, n);
    return blocks_copy(io->blocks, io->start + at, fd, from, n, err);
}
