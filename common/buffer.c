#include "common/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Bool make_room(struct buffer *b, size_t n)
{
    if (b->overflow)
        return 0;
    size_t need = b->len + n + 1;
    if (need > n && (need <= b->cap || (b->grow && b->grow(b, need) == 0)))
        return 1;
    b->overflow = 1;
    return 0;
}

void buffer_add(struct buffer *b, const void *bytes, size_t n)
{
    if (!make_room(b, n))
        return;
    if (n)
        memcpy(b->data + b->len, bytes, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void buffer_puts(struct buffer *b, const char *text)
{
    buffer_add(b, text, strlen(text));
}

void buffer_printf(struct buffer *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        b->overflow = 1;
    else if (make_room(b, (size_t)n)) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void buffer_clear(struct buffer *b)
{
    b->len = 0;
    b->overflow = 0;
    if (b->cap)
        b->data[0] = '\0';
}
