/* Heap memory of the builder: allocation that cannot fail (it ends the program), and cleanup. */
#ifndef NB_BUILDER_HEAP_H
#define NB_BUILDER_HEAP_H

#include <stddef.h>
#include <string.h>

#include "common/attributes.h"
#include "common/buffer.h"

/* Zeroed memory for n items of `size` bytes; never NULL. The caller frees it. */
void *heap_array(size_t n, size_t size) __attribute__((returns_nonnull));

/* Makes room for one item more behind `count` in an array whose capacity is *cap items; returns
 * the (moved) array; never NULL. */
void *heap_grow(void *array, size_t count, size_t *cap, size_t size)
    __attribute__((returns_nonnull));

/* A pointer to a new, zeroed item behind the `count` of a growing array; counts it. */
#define APPEND(array, count, cap)                                                                  \
    ((array) = heap_grow((array), (count), &(cap), sizeof *(array)), &(array)[(count)++])

/* A copy of the string; NULL stays NULL. The caller frees it. */
char *heap_copy(const char *text);

/* A formatted string; never NULL. The caller frees it. */
char *heap_printf(const char *fmt, ...) PRINTF(1, 2) __attribute__((returns_nonnull));

/* An empty growing buffer; free it with buffer_free. */
struct buffer buffer_heap(void);

/* Zeroes the bytes (they may be secret) and frees them. */
void buffer_free(struct buffer *b) NONNULL(1);

/* Frees *(void **)p. */
void heap_free_at(void *p);

/* char *s AUTO_FREE = …; frees at the end of the scope. */
#define AUTO_FREE   __attribute__((cleanup(heap_free_at)))
#define AUTO_BUFFER __attribute__((cleanup(buffer_free)))

/* Returns *(void **)p and leaves NULL there; for steal. */
static inline void *steal_at(void *p)
{
    void *taken, *none = NULL;
    memcpy(&taken, p, sizeof taken);
    memcpy(p, &none, sizeof none);
    return taken;
}

/* Hands a pointer over: returns it and leaves NULL behind. */
#define steal(p) steal_at(&(p))

#endif
