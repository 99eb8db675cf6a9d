/* grub.cfg: the lines that start a kernel. */
#ifndef NB_BUILDER_GRUB_CFG_H
#define NB_BUILDER_GRUB_CFG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"

/* A piece of the file; no NUL stands behind it. */
struct grub_text {
    const char *at;
    size_t len;
};

/* A line `linux`, `linux16` or `linuxefi`. */
struct grub_line {
    struct grub_text title; /* of the menu entry that it stands in, or of the last one before it */
    struct grub_text kernel;
    struct grub_text arguments; /* without blanks around them */
};

/* Where a reader is. It begins with the whole file in `rest`. */
struct grub_reader {
    struct grub_text rest, title;
};

/* Reads on to the next line that starts a kernel. False at the end. */
bool grub_next(struct grub_reader *reader, struct grub_line *line) NONNULL(1, 2);

/* Cuts the first word off, and the blanks behind it. False when there is none. */
bool grub_next_word(struct grub_text *rest, struct grub_text *word) NONNULL(1, 2);

/* Is the piece this text? */
bool grub_text_is(struct grub_text piece, const char *text) NONNULL(2);

/* Does the piece begin with this text? */
bool grub_text_begins(struct grub_text piece, const char *text) NONNULL(2);

#endif
