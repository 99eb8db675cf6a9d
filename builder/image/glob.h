/* Files of an image by patterns. */
#ifndef NB_BUILDER_GLOB_H
#define NB_BUILDER_GLOB_H

#include "builder/image/disk.h"

/* A walk over an image; `left` keeps a damaged file system from making it endless. */
struct glob {
    const struct disk_view *view;
    /* Called with everything that is at a matching path and, unless directories are wanted, is no
     * directory. */
    void (*found)(void *ctx, const char *path, const struct disk_item *item);
    void *ctx;
    bool directories;
    size_t left; /* names that may still be looked at */
};

/* Walks an absolute pattern: `*` and `?` stand for parts of a name, `**` as the last part for all
 * that lies below, however deep, but in no link. What cannot be read is passed over: -1 only says
 * so. */
int glob_walk(struct glob *glob, const char *pattern, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
