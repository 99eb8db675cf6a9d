#include "builder/image/ext4/content.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/ext4/io.h"
#include "builder/progress.h"
#include "common/cleanup.h"

enum {
    STEP = 8 << 20,  /* bytes between two signs of progress */
    CHUNK = 1 << 20, /* bytes that are read at once */
    FAST_LINK_MAX = EXT2_N_BLOCKS * 4 - 1
};

int source_open(const struct entry *entry, struct source *out, struct error *err)
{
    struct stat st;
    *out = (struct source){.bytes = entry->text ? entry->text : "", .fd = -1, .size = entry->len};
    if (entry->type == ENTRY_LINK)
        *out = (struct source){.bytes = entry->target, .fd = -1, .size = strlen(entry->target)};
    if (entry->type != ENTRY_FILE || !entry->host)
        return 0;
    int fd AUTO_CLOSE = open(entry->host, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, "%s", entry->host);
    if (!S_ISREG(st.st_mode))
        return error_set(err, "%s: not a regular file", entry->host);
    *out = (struct source){.fd = steal_fd(&fd), .size = (uint64_t)st.st_size};
    return 0;
}

void source_close(struct source *source)
{
    cleanup_close(&source->fd);
    source->fd = -1;
}

/* In steps, so that the progress of a large file is seen. */
static int fill_range(ext2_filsys fs, uint64_t at, const struct source *source, uint64_t from,
                      uint64_t n, struct progress *progress, struct error *err)
{
    for (uint64_t done = 0; done < n;) {
        uint64_t part = n - done < STEP ? n - done : STEP;
        int result = source->bytes
                         ? ext4_io_write(fs, at + done, (const char *)source->bytes + from + done,
                                         (size_t)part, err)
                         : ext4_io_copy(fs, at + done, source->fd, from + done, part, err);
        if (result < 0)
            return -1;
        progress_add(progress, part);
        done += part;
    }
    return 0;
}

static int fill_run(ext2_filsys fs, const struct run *run, const struct source *source,
                    struct progress *progress, struct error *err)
{
    uint64_t block = fs->blocksize, at = run->physical * block, n = run->count * block;
    uint64_t from = run->logical * block;
    uint64_t left = from < source->size ? source->size - from : 0;
    uint64_t part = left < n ? left : n;
    if (fill_range(fs, at, source, from, part, progress, err) < 0)
        return -1;
    return ext4_io_zero(fs, at + part, n - part, err);
}

/* By reading: files of /proc say that they have no bytes at all. */
static int check_end(const struct source *source, struct error *err)
{
    char byte;
    ssize_t more = source->fd < 0 ? 0 : pread(source->fd, &byte, 1, (off_t)source->size);
    if (more < 0)
        return error_errno(err, "read");
    if (more)
        return error_set(err, "is longer than the %llu bytes that it was said to have",
                         (unsigned long long)source->size);
    return 0;
}

int content_fill(struct node *node, const struct source *source, struct progress *progress,
                 struct error *err)
{
    struct map map AUTO_MAP = {.data = {.count = 0}};
    if (map_read(node, &map, err) < 0)
        return -1;
    if (map.data.blocks * node->fs->blocksize < source->size)
        return error_set(err, "inode %u has fewer blocks than were allocated", node->ino);
    for (size_t i = 0; i < map.data.count; i++)
        if (fill_run(node->fs, &map.data.items[i], source, progress, err) < 0)
            return -1;
    return check_end(source, err);
}

int content_store_link(struct node *node, const struct source *source, struct error *err)
{
    if (!source->size || source->size >= node->fs->blocksize)
        return error_set(err, "a link's target must have 1 to %u bytes", node->fs->blocksize - 1);
    if (source->size > FAST_LINK_MAX) {
        if (content_allocate(node, source->size, err) < 0)
            return -1;
        return content_fill(node, source, NULL, err);
    }
    memcpy(node->raw->i_block, source->bytes, (size_t)source->size);
    node->raw->i_size = (__u32)source->size;
    return 0;
}

static int stream_inline(const struct node *node, size_t size, disk_sink *sink, void *ctx,
                         struct error *err)
{
    size_t held = 0;
    errcode_t code = ext2fs_inline_data_size(node->fs, node->ino, &held);
    char *bytes AUTO_FREE = heap_array(held + 1, 1);
    if (!code)
        code = ext2fs_inline_data_get(node->fs, node->ino, EXT2_INODE(node->raw), bytes, &held);
    if (code)
        return ext4_error(err, code, "read inode %u", node->ino);
    if (size > held)
        return error_set(err, "inode %u is damaged: its inline data is too short", node->ino);
    int result = sink(ctx, bytes, size, err);
    explicit_bzero(bytes, held);
    return result;
}

static int stream_zeros(uint64_t n, disk_sink *sink, void *ctx, struct error *err)
{
    static const char zeros[64 * 1024];
    for (uint64_t part; n > 0; n -= part) {
        part = n < sizeof zeros ? n : sizeof zeros;
        if (sink(ctx, zeros, (size_t)part, err) < 0)
            return -1;
    }
    return 0;
}

static int stream_run(ext2_filsys fs, const struct run *run, uint64_t from, uint64_t n,
                      disk_sink *sink, void *ctx, struct error *err)
{
    size_t room = n < CHUNK ? (size_t)n : CHUNK;
    char *bytes AUTO_FREE = heap_array(room + 1, 1);
    uint64_t at = run->physical * fs->blocksize + from - run->logical * fs->blocksize;
    int result = 0;
    for (uint64_t done = 0; done < n && result == 0;) {
        uint64_t part = n - done < room ? n - done : room;
        result = ext4_io_read(fs, at + done, bytes, (size_t)part, err);
        if (result == 0)
            result = sink(ctx, bytes, (size_t)part, err);
        done += part;
    }
    explicit_bzero(bytes, room);
    return result < 0 ? -1 : 0;
}

/* Holes, and blocks that were never written, read as zeros. */
static int stream_blocks(const struct node *node, uint64_t size, disk_sink *sink, void *ctx,
                         struct error *err)
{
    uint64_t block = node->fs->blocksize, done = 0;
    struct map map AUTO_MAP = {.data = {.count = 0}};
    if (map_read(node, &map, err) < 0)
        return -1;
    for (size_t i = 0; i < map.data.count && done < size; i++) {
        const struct run *run = &map.data.items[i];
        uint64_t start = run->logical * block, end = start + run->count * block;
        if (!run->written || start >= size)
            continue;
        end = end < size ? end : size;
        if (stream_zeros(start - done, sink, ctx, err) < 0 ||
            stream_run(node->fs, run, start, end - start, sink, ctx, err) < 0)
            return -1;
        done = end;
    }
    return stream_zeros(size - done, sink, ctx, err);
}

int content_stream(const struct node *node, disk_sink *sink, void *ctx, struct error *err)
{
    const struct ext2_inode *inode = EXT2_INODE(node->raw);
    uint64_t size = EXT2_I_SIZE(inode);
    if (node->raw->i_flags & EXT4_INLINE_DATA_FL)
        return stream_inline(node, (size_t)size, sink, ctx, err);
    if (ext2fs_is_fast_symlink(EXT2_INODE(node->raw)))
        return sink(ctx, node->raw->i_block, (size_t)size, err);
    return stream_blocks(node, size, sink, ctx, err);
}

static int append(void *ctx, const void *bytes, size_t n, struct error *err)
{
    struct buffer *out = ctx;
    buffer_add(out, bytes, n);
    return out->overflow ? error_set(err, "larger than the memory for it") : 0;
}

int content_read(const struct node *node, size_t max, struct buffer *out, struct error *err)
{
    const struct ext2_inode *inode = EXT2_INODE(node->raw);
    if (EXT2_I_SIZE(inode) > max)
        return error_set(err, "larger than the %zu bytes allowed", max);
    return content_stream(node, append, out, err);
}
