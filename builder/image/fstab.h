/* /etc/fstab, read from memory. */
#ifndef NB_BUILDER_FSTAB_H
#define NB_BUILDER_FSTAB_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/error.h"

enum { FSTAB_FIELD_MAX = 256 };

/* One line; escapes (\040) are resolved. */
struct fstab_entry {
    char spec[FSTAB_FIELD_MAX]; /* UUID=…, LABEL=…, /dev/… */
    char dir[FSTAB_FIELD_MAX];
    char type[FSTAB_FIELD_MAX];
    char options[FSTAB_FIELD_MAX]; /* "" when the line has none */
    unsigned line;
};

/* What is left to be read. */
struct fstab {
    const char *at, *end;
    unsigned line;
};

/* A file in memory, from its beginning. */
struct fstab fstab_open(const char *text, size_t len);

/* The next entry that is no comment: 1, or 0 at the end, or -1. */
int fstab_next(struct fstab *fstab, struct fstab_entry *entry, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Is the word one of the entry's options? */
bool fstab_has_option(const struct fstab_entry *entry, const char *option) NONNULL(1, 2);

/* Is the entry a file system of a local disk, other than the root's, that is mounted at boot? */
bool fstab_concerns_disk(const struct fstab_entry *entry) NONNULL(1);

#endif
