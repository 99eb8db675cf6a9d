/* What is going to be written into a system, in order, each with its own time; and the system as it
 * will be then. */
#ifndef NB_BUILDER_CHANGES_H
#define NB_BUILDER_CHANGES_H

#include "builder/image/disk.h"

struct change {
    struct entry entry;
    time_t mtime;
};

struct changes {
    const struct disk_writer *writer;
    struct disk *disk;
    time_t mtime; /* of what has no time of its own */
    struct change **items;
    size_t count, cap;
    void *index; /* by path */
};

/* Nothing yet. */
struct changes changes_of(const struct disk_writer *writer, struct disk *disk, time_t mtime)
    NONNULL(1, 2);

/* Adds an entry and takes over its strings, also on -1. A path that stands there already is an
 * error, but for directories, of which the first stays. */
int changes_add(struct changes *changes, struct entry entry, time_t mtime, struct error *err)
    NONNULL(1, 4) MUST_CHECK;

/* Adds a file of root's with this text (taken over), and the common time. */
int changes_add_text(struct changes *changes, const char *path, mode_t mode, char *text, size_t len,
                     struct error *err) NONNULL(1, 2, 4, 6) MUST_CHECK;

/* The change at the path, or NULL. */
const struct change *changes_find(const struct changes *changes, const char *path) NONNULL(1, 2);

/* Will there be anything at the path? 1, 0 or -1. */
int changes_exists(const struct changes *changes, const char *path, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Appends a file as it is in the system before the changes: 1, 0 when it is not there, or -1. */
int changes_read(const struct changes *changes, const char *path, struct buffer *out,
                 struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Checks that the system has room for it all, and writes it. */
int changes_write(const struct changes *changes, const char *label, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Frees what it holds; the disk stays the caller's. */
void changes_free(struct changes *changes);
#define AUTO_CHANGES __attribute__((cleanup(changes_free)))

#endif
