/* UTF-8, byte by byte. */
#ifndef NB_BUILDER_YAML_UTF8_H
#define NB_BUILDER_YAML_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"

/* Reads the character at the beginning of the `len` bytes; returns how many bytes it takes, 0 when
 * they begin with none: cut, overlong, a surrogate, or above U+10FFFF. */
size_t utf8_next(const char *text, size_t len, uint32_t *character) NONNULL(1, 3);

/* Puts '?', in place, for each character that a terminal would obey and each byte that is not
 * UTF-8. */
void utf8_printable(char *text) NONNULL(1);

#endif
