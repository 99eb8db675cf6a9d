/* The file system that is finished: a mounted root, or an ordinary folder. */
#ifndef NB_FIRSTBOOT_ROOT_H
#define NB_FIRSTBOOT_ROOT_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/error.h"

struct root {
    int fd; /* -1: not open */
    const char *path;
    bool remounted;      /* it was read-only, and is not now */
    unsigned long flags; /* its mount flags, for mount(2), without MS_RDONLY */
};

#define ROOT_INIT                                                                                  \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Opens the directory and remembers how it is mounted; `path` has to outlive the struct. */
int root_open(struct root *root, const char *path, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* Makes a root writable that is mounted read-only, all its other flags kept. */
int root_writable(struct root *root, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Mounts it read-only again if root_writable changed that. */
int root_restore(struct root *root, struct error *err) NONNULL(1, 2) MUST_CHECK;

#endif
