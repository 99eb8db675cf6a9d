/* The directories that a run writes to: each opened once, made when missing, fsynced once. */
#ifndef NB_FIRSTBOOT_DIRS_H
#define NB_FIRSTBOOT_DIRS_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/error.h"

enum {
    DIRS_MAX = 256,
    DIR_PATH_MAX = 960, /* longest path below the root, its NUL included; fits a line of a stamp */
};

struct dir {
    int fd;
    bool dirty; /* an entry changed since the last fsync */
    char path[DIR_PATH_MAX];
};

struct dirs {
    int root;
    unsigned count;
    struct dir list[DIRS_MAX];
};

/* Begins with none; `root` stays the caller's. */
void dirs_init(struct dirs *d, int root) NONNULL(1);

/* The directory at an absolute path inside the root, made (0755 root:root) with those above it
 * when missing; NULL on error. It stays open until dirs_close. */
struct dir *dirs_make(struct dirs *d, const char *path, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* The same, but NULL with errno where none is made. */
struct dir *dirs_find(struct dirs *d, const char *path) NONNULL(1, 2);

/* Does errno say that there is none? */
bool dirs_is_absent(void);

/* dirs_make for the directory of the file `path`; *base is the file's name in it. */
struct dir *dirs_of_file(struct dirs *d, const char *path, const char **base, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* fsyncs those that are dirty. */
int dirs_sync(struct dirs *d, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Closes all. */
void dirs_close(struct dirs *d) NONNULL(1);

#endif
