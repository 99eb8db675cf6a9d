/* Input in memory of its own that ends where the input ends, so that a byte too far is seen. */
#ifndef NB_FUZZ_EXACT_H
#define NB_FUZZ_EXACT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A copy that parsers may write to; the caller frees it. Ends the program without memory. */
static inline char *exact_copy(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1);
    if (!text)
        abort();
    if (size)
        memcpy(text, data, size);
    return text;
}

#endif
