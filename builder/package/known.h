/* Digests of files, remembered from run to run: a file whose inode, size and times are as they were
 * is not read again. The memory is a text, a line a file, which is compared and never trusted to be
 * well formed. */
#ifndef NB_BUILDER_KNOWN_H
#define NB_BUILDER_KNOWN_H

#include <stdbool.h>
#include <sys/stat.h>

#include "builder/digest.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

struct known {
    struct buffer text; /* the newest first */
    bool changed;
};

/* Reads the memory `name` in the directory; one that is not there, or damaged, is empty. A
 * negative descriptor holds nothing. */
void known_read(int dirfd, const char *name, struct known *out) NONNULL(2, 3);

/* The SHA-256 of the file at the path, from memory or from its bytes. With `rehash` always from
 * its bytes. */
int known_digest(struct known *known, const char *path, bool rehash,
                 char hex[static DIGEST_HEX_MAX], struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Writes the memory back if something was added; the oldest lines go. */
int known_write(struct known *known, int dirfd, const char *name, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Frees what it holds. */
void known_free(struct known *known);
#define AUTO_KNOWN __attribute__((cleanup(known_free)))

#endif
