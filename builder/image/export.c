#include "builder/image/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/base-file.h"
#include "builder/image/copy.h"
#include "builder/image/private-file.h"
#include "builder/image/zeros.h"
#include "builder/interrupt.h"
#include "builder/progress.h"
#include "common/cleanup.h"
#include "common/file.h"

/* One export under way; the arrays have an item for each output. */
struct export
{
    const char *raw;
    const struct output *outputs;
    size_t n;
    const struct export_options *options;
    char **temporaries;  /* complete or not; NULL: not made, or published */
    struct sink **sinks; /* NULL: none, or ended */
};

char *image_temporary(const char *path)
{
    return heap_printf("%s.nodebake-tmp", path);
}

static int sync_file(const char *path, struct error *err)
{
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0600) < 0 || fsync(fd) < 0)
        return error_errno(err, "sync %s", path);
    return 0;
}

static int take_name(const char *temporary, const char *path, struct error *err)
{
    char *folder AUTO_FREE = heap_copy(path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    if (rename(temporary, path) < 0)
        return error_errno(err, "rename %s to %s", temporary, path);
    return file_sync_dir(AT_FDCWD, slash ? folder : ".", err);
}

int image_publish(const char *temporary, const char *path, struct error *err)
{
    if (sync_file(temporary, err) < 0)
        return -1;
    return take_name(temporary, path, err);
}

/* The raw file becomes the raw image when nobody needs it any more. */
static bool moves(const struct export *e, size_t i)
{
    return !e->outputs[i].format->begin && !e->options->keep;
}

static int make_file(struct export *e, size_t i, struct error *err)
{
    e->temporaries[i] = image_temporary(e->outputs[i].path);
    interrupt_removes(e->temporaries[i]);
    if (!e->outputs[i].format->begin) {
        char *label AUTO_FREE = heap_printf("%s: write raw", e->options->label);
        return image_clone(e->raw, e->temporaries[i], label, err);
    }
    int fd AUTO_CLOSE = private_file_create(e->temporaries[i], err);
    return fd < 0 ? -1 : 0;
}

static int begin_sinks(struct export *e, uint64_t size, struct error *err)
{
    for (size_t i = 0; i < e->n; i++) {
        struct sink_start start = {.path = e->temporaries[i],
                                   .size = size,
                                   .compression = e->options->compression,
                                   .mtime = e->options->mtime};
        const struct format *format = e->outputs[i].format;
        if (format->begin && format->begin(&start, &e->sinks[i], err) < 0)
            return -1;
    }
    return 0;
}

static int end_sinks(struct export *e, bool complete, struct error *err)
{
    struct error ignored = ERROR_INIT;
    int result = 0;
    for (size_t i = 0; i < e->n; i++) {
        struct sink *sink = steal(e->sinks[i]);
        bool wanted = complete && result == 0;
        if (sink && e->outputs[i].format->end(sink, wanted, wanted ? err : &ignored) < 0 && wanted)
            result = -1;
    }
    return result;
}

static int feed_all(struct export *e, uint64_t at, const char *bytes, size_t n, struct error *err)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->sinks[i] && e->outputs[i].format->data(e->sinks[i], at, bytes, n, err) < 0)
            return -1;
    return 0;
}

/* Hands on the runs of pieces that hold something. Whether the file has zeros or a hole must not
 * show. */
static int feed_chunk(struct export *e, uint64_t at, const char *chunk, size_t n, struct error *err)
{
    size_t run = 0; /* where what is not handed on yet begins */
    for (size_t piece = 0, part; piece < n; piece += part) {
        part = n - piece < FORMAT_PIECE ? n - piece : FORMAT_PIECE;
        if (!all_zeros(chunk + piece, part))
            continue;
        if (run < piece && feed_all(e, at + run, chunk + run, piece - run, err) < 0)
            return -1;
        run = piece + part;
    }
    return run < n ? feed_all(e, at + run, chunk + run, n - run, err) : 0;
}

static int read_disk(struct export *e, struct blocks *disk, char *chunk, struct progress *progress,
                     struct error *err)
{
    uint64_t size = blocks_size(disk);
    for (uint64_t at = 0, next; at < size; at = next) {
        uint64_t data = copy_next_data(blocks_fd(disk), at, size) / FORMAT_CHUNK * FORMAT_CHUNK;
        data = data < at ? at : data;
        size_t n = size - data < FORMAT_CHUNK ? (size_t)(size - data) : FORMAT_CHUNK;
        if (n &&
            (blocks_read(disk, data, chunk, n, err) < 0 || feed_chunk(e, data, chunk, n, err) < 0))
            return -1;
        next = data + n;
        progress_add(progress, next - at);
    }
    /* What is cut off looks like a hole. */
    if (lseek(blocks_fd(disk), 0, SEEK_END) != (off_t)size)
        return error_set(err, "%s: was changed while it was read", e->raw);
    return 0;
}

static char *name_sinks(const struct export *e)
{
    char *names = heap_copy("");
    for (size_t i = 0; i < e->n; i++)
        if (e->outputs[i].format->begin) {
            char *more =
                heap_printf("%s%s%s", names, *names ? ", " : "", e->outputs[i].format->name);
            free(names);
            names = more;
        }
    return names;
}

static int fill_from(struct export *e, struct blocks *disk, struct error *err)
{
    char *names AUTO_FREE = name_sinks(e);
    char *chunk AUTO_FREE = heap_array(FORMAT_CHUNK, 1);
    struct progress progress =
        progress_start(blocks_size(disk), "%s: write %s", e->options->label, names);
    int result = begin_sinks(e, blocks_size(disk), err);
    if (result == 0)
        result = read_disk(e, disk, chunk, &progress, err);
    if (end_sinks(e, result == 0, err) < 0)
        result = -1;
    progress_end(&progress);
    explicit_bzero(chunk, FORMAT_CHUNK); /* images hold keys */
    return result;
}

static int fill(struct export *e, struct error *err)
{
    struct disk_file file = {.path = e->raw};
    struct error ignored = ERROR_INIT;
    struct blocks *disk;
    bool any = false;
    for (size_t i = 0; i < e->n; i++)
        any = any || e->outputs[i].format->begin;
    if (!any)
        return 0;
    if (blocks_open(&file, false, &disk, err) < 0)
        return -1;
    int result = fill_from(e, disk, err);
    if (blocks_close(disk, result < 0 ? &ignored : err) < 0)
        result = -1;
    return result;
}

/* All are on the disk before the first takes its name. */
static int publish(struct export *e, struct error *err)
{
    bool moved = false;
    for (size_t i = 0; i < e->n; i++)
        if (sync_file(moves(e, i) ? e->raw : e->temporaries[i], err) < 0)
            return -1;
    for (size_t i = 0; i < e->n; i++) {
        moved = moved || moves(e, i);
        if (take_name(moves(e, i) ? e->raw : e->temporaries[i], e->outputs[i].path, err) < 0)
            return -1;
        if (e->temporaries[i])
            interrupt_keeps(e->temporaries[i]);
        free(steal(e->temporaries[i]));
    }
    if (!moved && !e->options->keep && unlink(e->raw) < 0)
        return error_errno(err, "remove %s", e->raw);
    return 0;
}

static int run(struct export *e, struct error *err)
{
    for (size_t i = 0; i < e->n; i++)
        if (!moves(e, i) && make_file(e, i, err) < 0)
            return -1;
    if (fill(e, err) < 0)
        return -1;
    return publish(e, err);
}

int image_export(const char *raw, const struct output *outputs, size_t n,
                 const struct export_options *options, struct error *err)
{
    char **temporaries AUTO_FREE = heap_array(n, sizeof *temporaries);
    struct sink **sinks AUTO_FREE = heap_array(n, sizeof(struct sink *));
    struct export e = {.raw = raw,
                       .outputs = outputs,
                       .n = n,
                       .options = options,
                       .temporaries = temporaries,
                       .sinks = sinks};
    int result = run(&e, err);
    for (size_t i = 0; i < n; i++) {
        if (temporaries[i]) {
            unlink(temporaries[i]);
            interrupt_keeps(temporaries[i]);
        }
        free(temporaries[i]);
    }
    return result;
}
