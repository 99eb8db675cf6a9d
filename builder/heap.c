#include "builder/heap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *p)
{
    if (p)
        return p;
    fputs("nodebake: out of memory\n", stderr);
    exit(1);
}

void *heap_array(size_t n, size_t size)
{
    return check(calloc(n ? n : 1, size));
}

void *heap_grow(void *array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return check(array);
    size_t more = *cap ? *cap * 2 : 8;
    array = check(reallocarray(array, more, size));
    memset((char *)array + *cap * size, 0, (more - *cap) * size);
    *cap = more;
    return array;
}

char *heap_copy(const char *text)
{
    return text ? check(strdup(text)) : NULL;
}

char *heap_printf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    return check(text);
}

/* Grows by copying, so that the old bytes can be wiped: buffers hold keys. */
static int grow_on_heap(struct buffer *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need)
        cap *= 2;
    char *data = check(malloc(cap));
    if (b->data) {
        memcpy(data, b->data, b->len + 1);
        explicit_bzero(b->data, b->cap);
        free(b->data);
    }
    b->data = data;
    b->cap = cap;
    return 0;
}

struct buffer buffer_heap(void)
{
    struct buffer b = {.grow = grow_on_heap};
    check(grow_on_heap(&b, 256) == 0 ? b.data : NULL);
    b.data[0] = '\0';
    return b;
}

void buffer_free(struct buffer *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    free(b->data);
    *b = (struct buffer){0};
}

void heap_free_at(void *p)
{
    free(*(void **)p);
}
