#include "common/base64.h"

#include <stdint.h>

/* 0 to 63, or -1. */
static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_size(const char *text, size_t len, size_t *size)
{
    size_t digits = len;
    while (digits && len - digits < 2 && text[digits - 1] == '=')
        digits--;
    for (size_t i = 0; i < digits; i++)
        if (digit(text[i]) < 0)
            return false;
    if (len == 0 || len % 4 != 0)
        return false;
    *size = len / 4 * 3 - (len - digits);
    return true;
}

unsigned char base64_byte(const char *text, size_t index)
{
    const char *group = text + index / 3 * 4;
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++)
        bits = bits << 6 | (uint32_t)(digit(group[i]) & 63);
    return (unsigned char)(bits >> (16 - index % 3 * 8) & 255);
}
