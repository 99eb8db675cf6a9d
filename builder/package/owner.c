#include "builder/package/owner.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 9 };

/* "name:x:42:…": the third field. */
static bool read_line(struct dpkg_text line, const char *name, uint32_t *number)
{
    char digits[DIGITS_MAX + 1] = "";
    size_t n = strlen(name);
    if (line.len <= n || memcmp(line.at, name, n) != 0 || line.at[n] != ':')
        return false;
    const char *end = line.at + line.len;
    const char *password = memchr(line.at + n + 1, ':', (size_t)(end - line.at) - n - 1);
    if (!password)
        return false;
    size_t i = 0;
    for (const char *p = password + 1; p < end && *p != ':'; p++) {
        if (*p < '0' || *p > '9' || i == DIGITS_MAX)
            return false;
        digits[i++] = *p;
    }
    *number = (uint32_t)strtoul(digits, NULL, 10);
    return i > 0;
}

uint32_t owner_number(struct dpkg_text text, const char *name, uint32_t otherwise)
{
    struct dpkg_text line;
    uint32_t number;
    while (name && *name && dpkg_next_line(&text, &line))
        if (read_line(line, name, &number))
            return number;
    return otherwise;
}
