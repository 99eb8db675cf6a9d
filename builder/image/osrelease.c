#include "builder/image/osrelease.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

/* Takes quotes and backslashes away; a shell's assignment, as far as the manual allows it. */
static char *unquote(const char *at, const char *end)
{
    char *value = heap_array((size_t)(end - at) + 1, 1);
    size_t n = 0;
    char quote = '\0';
    for (; at < end; at++) {
        if (!quote && (*at == '"' || *at == '\'')) {
            quote = *at;
            continue;
        }
        if (quote && *at == quote) {
            quote = '\0';
            continue;
        }
        if (*at == '\\' && quote != '\'' && at + 1 < end)
            at++;
        value[n++] = (unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at;
    }
    return value;
}

char *os_release_value(const char *text, size_t len, const char *key)
{
    char *value = NULL;
    size_t n = strlen(key);
    const char *end = text + len;
    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline ? newline : end;
        if ((size_t)(stop - line) > n && memcmp(line, key, n) == 0 && line[n] == '=') {
            while (stop > line + n + 1 && strchr(" \t\r", stop[-1]))
                stop--;
            free(value);
            value = unquote(line + n + 1, stop);
        }
        line = newline ? newline + 1 : end;
    }
    if (value && !*value) {
        free(value);
        value = NULL;
    }
    return value;
}
