#include "builder/plan/chrony.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of a line: moves *at behind it, and returns its length. */
static size_t next_word(const char **at, const char *end, const char **word)
{
    while (*at < end && is_blank(**at))
        (*at)++;
    *word = *at;
    while (*at < end && !is_blank(**at))
        (*at)++;
    return (size_t)(*at - *word);
}

/* chrony's directives may be written in either case. */
static bool begins_with(const char *line, const char *end, const char *directive)
{
    const char *word;
    size_t n = next_word(&line, end, &word);
    return n == strlen(directive) && strncasecmp(word, directive, n) == 0;
}

static bool names_server(const char *line, const char *end)
{
    return begins_with(line, end, "server") || begins_with(line, end, "pool") ||
           begins_with(line, end, "peer");
}

static const char *end_of_line(const char *line, const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    return newline ? newline : end;
}

void chrony_without_servers(const char *text, size_t len, struct buffer *out)
{
    const char *end = text + len;
    for (const char *line = text; line < end;) {
        const char *stop = end_of_line(line, end);
        if (names_server(line, stop))
            buffer_puts(out, "#");
        buffer_add(out, line, (size_t)(stop - line));
        buffer_puts(out, "\n");
        line = stop < end ? stop + 1 : end;
    }
}

static bool is_folder(const char *line, const char *end, const char *folder)
{
    const char *word;
    next_word(&line, end, &word);
    size_t n = next_word(&line, end, &word);
    return n == strlen(folder) && memcmp(word, folder, n) == 0;
}

bool chrony_reads(const char *text, size_t len, const char *folder)
{
    const char *end = text + len;
    for (const char *line = text; line < end;) {
        const char *stop = end_of_line(line, end);
        if (begins_with(line, stop, "sourcedir") && is_folder(line, stop, folder))
            return true;
        line = stop < end ? stop + 1 : end;
    }
    return false;
}
