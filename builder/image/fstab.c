#include "builder/image/fstab.h"

#include <string.h>

struct fstab fstab_open(const char *text, size_t len)
{
    return (struct fstab){.at = text, .end = text + len};
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool octal(char c)
{
    return c >= '0' && c <= '7';
}

/* A byte, or an escape of a backslash and three octal digits. */
static char take_char(const char **at, const char *end)
{
    const char *p = *at;
    if (*p == '\\' && end - p >= 4 && octal(p[1]) && octal(p[2]) && octal(p[3])) {
        *at += 4;
        return (char)(((p[1] - '0') & 3) * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
    }
    *at += 1;
    return *p;
}

/* Takes the next field of a line; an absent one is empty. */
static bool take_field(const char **at, const char *end, char field[FSTAB_FIELD_MAX])
{
    size_t n = 0;
    while (*at < end && blank(**at))
        *at += 1;
    while (*at < end && !blank(**at)) {
        char c = take_char(at, end);
        if (!c || n == FSTAB_FIELD_MAX - 1)
            return false;
        field[n++] = c;
    }
    field[n] = '\0';
    return true;
}

static int take_line(const char *at, const char *end, struct fstab_entry *entry, struct error *err)
{
    char *const fields[] = {entry->spec, entry->dir, entry->type, entry->options};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (!take_field(&at, end, fields[i]))
            return error_set(err, "/etc/fstab:%u: a field is longer than %d bytes or holds a NUL",
                             entry->line, FSTAB_FIELD_MAX - 1);
    if (entry->type[0] == '\0')
        return error_set(err, "/etc/fstab:%u: needs a device, a directory and a type", entry->line);
    return 1;
}

int fstab_next(struct fstab *fstab, struct fstab_entry *entry, struct error *err)
{
    while (fstab->at < fstab->end) {
        const char *line = fstab->at;
        const char *newline = memchr(line, '\n', (size_t)(fstab->end - line));
        const char *end = newline ? newline : fstab->end;
        fstab->at = newline ? newline + 1 : fstab->end;
        entry->line = ++fstab->line;
        while (line < end && blank(*line))
            line++;
        if (line == end || *line == '#')
            continue;
        return take_line(line, end, entry, err);
    }
    return 0;
}

bool fstab_has_option(const struct fstab_entry *entry, const char *option)
{
    size_t len = strlen(option);
    for (const char *word = entry->options; *word;) {
        size_t n = strcspn(word, ",");
        if (n == len && memcmp(word, option, len) == 0)
            return true;
        word += n + (word[n] == ',');
    }
    return false;
}

bool fstab_concerns_disk(const struct fstab_entry *entry)
{
    return entry->dir[0] == '/' && entry->dir[1] != '\0' && strcmp(entry->type, "swap") != 0 &&
           !fstab_has_option(entry, "noauto") && !fstab_has_option(entry, "bind") &&
           (strchr(entry->spec, '=') || strncmp(entry->spec, "/dev/", 5) == 0);
}
