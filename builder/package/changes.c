#include "builder/package/changes.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/package/path-index.h"
#include "builder/progress.h"

enum { READ_MAX = 64 << 20, BLOCK = 4096, SPARE_PARTS = 20 };

struct changes changes_of(const struct disk_writer *writer, struct disk *disk, time_t mtime)
{
    return (struct changes){.writer = writer, .disk = disk, .mtime = mtime};
}

const struct change *changes_find(const struct changes *changes, const char *path)
{
    return path_index_get(changes->index, path);
}

int changes_add(struct changes *changes, struct entry entry, time_t mtime, struct error *err)
{
    const struct change *old = changes_find(changes, entry.path);
    if (old) {
        bool same = old->entry.type == ENTRY_DIR && entry.type == ENTRY_DIR;
        if (!same)
            error_set(err, "%s would come from two packages", entry.path);
        entry_free(&entry);
        return same ? 0 : -1;
    }
    struct change *change = heap_array(1, sizeof *change);
    *change = (struct change){entry, mtime};
    *APPEND(changes->items, changes->count, changes->cap) = change;
    path_index_put(&changes->index, change->entry.path, change);
    return 0;
}

int changes_add_text(struct changes *changes, const char *path, mode_t mode, char *text, size_t len,
                     struct error *err)
{
    struct entry entry = {
        .path = heap_copy(path), .type = ENTRY_FILE, .mode = mode, .text = text, .len = len};
    return changes_add(changes, entry, changes->mtime, err);
}

int changes_exists(const struct changes *changes, const char *path, struct error *err)
{
    if (changes_find(changes, path))
        return 1;
    /* What lies in a directory that is new can only be new itself. */
    char *dir AUTO_FREE = heap_printf("%.*s", (int)(strrchr(path, '/') - path), path);
    return *dir && changes_find(changes, dir) ? 0
                                              : changes->writer->exists(changes->disk, path, err);
}

int changes_read(const struct changes *changes, const char *path, struct buffer *out,
                 struct error *err)
{
    int found = changes->writer->exists(changes->disk, path, err);
    if (found > 0 && changes->writer->read(changes->disk, path, READ_MAX, out, err) < 0)
        return -1;
    return found;
}

/* All goes to /usr, /etc and /var, which are mostly the root's; a file system of their own is
 * noticed when it is full. */
static int check_room(const struct changes *changes, uint64_t *content, struct error *err)
{
    struct disk_space space;
    uint64_t bytes = 0;
    for (size_t i = 0; i < changes->count; i++) {
        uint64_t size;
        if (entry_size(&changes->items[i]->entry, &size, err) < 0)
            return -1;
        *content += size;
        bytes += (size + BLOCK - 1) / BLOCK * BLOCK + BLOCK;
    }
    bytes += bytes / SPARE_PARTS;
    if (changes->writer->space(changes->disk, "/usr", &space, err) < 0)
        return -1;
    if (bytes > space.bytes || changes->count > space.inodes)
        return error_set(err,
                         "the base has no room for its packages: they take %llu KiB and %zu "
                         "inodes, free are %llu KiB and %llu",
                         (unsigned long long)bytes / 1024, changes->count,
                         (unsigned long long)space.bytes / 1024, (unsigned long long)space.inodes);
    return 0;
}

int changes_write(const struct changes *changes, const char *label, struct error *err)
{
    uint64_t content = 0;
    if (check_room(changes, &content, err) < 0)
        return -1;
    struct progress progress = progress_start(content, "%s", label);
    int result = 0;
    for (size_t i = 0; i < changes->count && result == 0; i++)
        result = changes->writer->put(changes->disk, &changes->items[i]->entry,
                                      changes->items[i]->mtime, &progress, err);
    progress_end(&progress);
    return result;
}

void changes_free(struct changes *changes)
{
    path_index_free(changes->index);
    for (size_t i = 0; i < changes->count; i++) {
        entry_free(&changes->items[i]->entry);
        free(changes->items[i]);
    }
    free(changes->items);
    *changes = (struct changes){0};
}
