/* base64 of RFC 4648: its first alphabet, padded, without line breaks. */
#ifndef NB_COMMON_BASE64_H
#define NB_COMMON_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"

/* How many bytes the text stands for; false when it is no base64, or empty. */
bool base64_size(const char *text, size_t len, size_t *size) NONNULL(1, 3);

/* The byte at an index below that size. */
unsigned char base64_byte(const char *text, size_t index) NONNULL(1);

#endif
