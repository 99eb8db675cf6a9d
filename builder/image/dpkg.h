/* dpkg's database, /var/lib/dpkg/status, and other files of its syntax, read from memory. */
#ifndef NB_BUILDER_DPKG_H
#define NB_BUILDER_DPKG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/buffer.h"

/* A piece of a file; no NUL stands behind it. */
struct dpkg_text {
    const char *at;
    size_t len;
};

/* Is the piece this word? */
bool dpkg_text_is(struct dpkg_text text, const char *word) NONNULL(2);

/* Cuts the next line off, without its newline. False at the end. */
bool dpkg_next_line(struct dpkg_text *rest, struct dpkg_text *line) NONNULL(1, 2);

/* Cuts the next stanza off: lines up to an empty one. False at the end. */
bool dpkg_next(struct dpkg_text *rest, struct dpkg_text *stanza) NONNULL(1, 2);

/* Cuts the next field off a stanza. The value is without space around it, and holds its further
 * lines as they are. A line that is no field is passed over. False at the end. */
bool dpkg_next_field(struct dpkg_text *stanza, struct dpkg_text *name, struct dpkg_text *value)
    NONNULL(1, 2, 3);

/* The value of a stanza's field, the last one if there are several; empty when there is none.
 * Names know no case. */
struct dpkg_text dpkg_field(struct dpkg_text stanza, const char *name) NONNULL(2);

/* Is the stanza's package installed and configured ("Status: … ok installed")? */
bool dpkg_stanza_installed(struct dpkg_text stanza);

/* Is the package installed and configured? Any architecture will do. */
bool dpkg_installed(const char *status, size_t len, const char *package) NONNULL(3);

/* Appends the names that are not installed, separated by ", "; returns how many there are. */
size_t dpkg_missing(const char *status, size_t len, const char *const *packages, size_t n,
                    struct buffer *names) NONNULL(5);

/* Appends Debian's word for the machine ("amd64"), which is the architecture of dpkg itself;
 * false when dpkg is not in its own database. */
bool dpkg_architecture(const char *status, size_t len, struct buffer *architecture) NONNULL(3);

#endif
