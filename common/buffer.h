/* Bytes that are appended to, in memory of a fixed size or with a hook that makes more of it. */
#ifndef NB_COMMON_BUFFER_H
#define NB_COMMON_BUFFER_H

#include <stddef.h>

#include "common/attributes.h"

/* data holds len bytes and a NUL behind them; cap counts the NUL. Once overflow is set, appends
 * change nothing, so that a series of them is checked once, at its end. */
struct buffer {
    char *data;
    size_t len;
    size_t cap;
    _Bool overflow;
    /* Makes room for at least `need` bytes in all; 0, or -1 when it cannot. NULL: fixed size. */
    int (*grow)(struct buffer *b, size_t need);
};

/* A buffer over the array `a`. */
#define BUFFER_FIXED(a)                                                                            \
    {                                                                                              \
        .data = (a), .cap = sizeof(a)                                                              \
    }

/* Appends n bytes. */
void buffer_add(struct buffer *b, const void *bytes, size_t n) NONNULL(1);

/* Appends a C string. */
void buffer_puts(struct buffer *b, const char *text) NONNULL(1, 2);

/* Appends formatted text. */
void buffer_printf(struct buffer *b, const char *fmt, ...) PRINTF(2, 3) NONNULL(1, 2);

/* Forgets the bytes and the overflow; the memory stays. */
void buffer_clear(struct buffer *b) NONNULL(1);

#endif
