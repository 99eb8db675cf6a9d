#include "firstboot/lines.h"

#include <string.h>

struct lines lines_of(char *text, size_t len)
{
    return (struct lines){.next = text, .end = text + len};
}

int lines_next(struct lines *l, char **line, struct error *err)
{
    if (l->next == l->end)
        return 0;
    l->number++;
    char *start = l->next;
    char *p = start;
    for (; p < l->end && *p != '\n'; p++) {
        if (*p < ' ' || *p > '~')
            return error_set(err, "byte 0x%02x; only printable ASCII is allowed",
                             (unsigned)(unsigned char)*p);
        if (p - start == LINE_MAX_BYTES)
            return error_set(err, "longer than the %d bytes allowed", LINE_MAX_BYTES);
    }
    if (p == l->end)
        return error_set(err, "no newline at its end; the file is cut off");
    *p = '\0';
    l->next = p + 1;
    *line = start;
    return 1;
}

_Bool line_skipped(const char *line)
{
    return *line == '\0' || *line == '#';
}

unsigned line_split(char *line, char **field, unsigned max)
{
    for (unsigned n = 0; n < max; n++) {
        size_t len = strcspn(line, " ");
        if (len == 0)
            return 0;
        field[n] = line;
        if (line[len] == '\0')
            return n + 1;
        line[len] = '\0';
        line += len + 1;
    }
    return max + 1;
}
