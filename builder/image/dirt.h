/* What a running system leaves behind, and what no image may hold, in one table. */
#ifndef NB_BUILDER_DIRT_H
#define NB_BUILDER_DIRT_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/image/disk.h"
#include "common/attributes.h"

enum { DIRT_PATTERNS_MAX = 8 };

/* A pattern of glob.h. */
struct dirt_pattern {
    const char *text;
    bool whole; /* directories, links and empty files count, too */
};

struct dirt_kind {
    const char *name;  /* a word of JSON output */
    const char *label; /* for people */
    bool kept;         /* it is only told, and never taken away */
    struct dirt_pattern patterns[DIRT_PATTERNS_MAX];
};

extern const struct dirt_kind dirt_kinds[];
extern const size_t dirt_kind_count;

/* Does what is at the path count as dirt, when a pattern has matched it? Empty files and links are
 * part of stock images, and so is the lock of the package lists. */
bool dirt_counts(const char *path, const struct disk_item *item) NONNULL(1, 2);

/* The first kind that has a pattern for the path, or NULL. */
const struct dirt_kind *dirt_kind_of(const char *path) NONNULL(1);

#endif
