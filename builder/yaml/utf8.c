#include "builder/yaml/utf8.h"

#include <stdbool.h>
#include <string.h>

/* By the bits that the first byte must have: the sequence's length, and what is overlong in it. */
static const struct {
    unsigned char mask, bits;
    size_t length;
    uint32_t least;
} kinds[] = {
    {0x80, 0x00, 1, 0},
    {0xe0, 0xc0, 2, 0x80},
    {0xf0, 0xe0, 3, 0x800},
    {0xf8, 0xf0, 4, 0x10000},
};

static size_t read_kind(const unsigned char *bytes, size_t len, size_t kind, uint32_t *character)
{
    uint32_t c = bytes[0] & (unsigned char)~kinds[kind].mask;
    if (kinds[kind].length > len)
        return 0;
    for (size_t i = 1; i < kinds[kind].length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (bytes[i] & 0x3f);
    }
    if (c < kinds[kind].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *character = c;
    return kinds[kind].length;
}

size_t utf8_next(const char *text, size_t len, uint32_t *character)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; len && i < ARRAY_LEN(kinds); i++)
        if ((bytes[0] & kinds[i].mask) == kinds[i].bits)
            return read_kind(bytes, len, i, character);
    return 0;
}

/* Not controls, nor what turns the direction of the text. */
static bool harmless(uint32_t c)
{
    return c >= ' ' && (c < 0x7f || c >= 0xa0) && !(c >= 0x2028 && c <= 0x202e) &&
           !(c >= 0x2066 && c <= 0x2069);
}

void utf8_printable(char *text)
{
    char *out = text;
    for (size_t len = strlen(text), n; len; text += n, len -= n) {
        uint32_t c = 0;
        n = utf8_next(text, len, &c);
        if (n && harmless(c)) {
            memmove(out, text, n);
            out += n;
        } else {
            *out++ = '?';
            n = n ? n : 1;
        }
    }
    *out = '\0';
}
