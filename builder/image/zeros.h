/* Is a piece of a disk nothing but zeros? */
#ifndef NB_BUILDER_ZEROS_H
#define NB_BUILDER_ZEROS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* n is at least 1. When each byte equals the next one all equal the first. */
static inline bool all_zeros(const void *bytes, size_t n)
{
    const char *p = bytes;
    return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

#endif
