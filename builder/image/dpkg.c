#include "builder/image/dpkg.h"

#include <string.h>

/* A piece of the file that is not ended by a NUL. */
struct text {
    const char *at;
    size_t len;
};

static bool text_is(struct text text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.at, word, text.len) == 0;
}

/* Cuts the next line off, without its newline; false at the end. */
static bool next_line(struct text *rest, struct text *line)
{
    if (rest->len == 0)
        return false;
    const char *newline = memchr(rest->at, '\n', rest->len);
    size_t n = newline ? (size_t)(newline - rest->at) : rest->len;
    *line = (struct text){rest->at, n};
    n += newline != NULL;
    rest->at += n;
    rest->len -= n;
    return true;
}

/* The value of the line when the field is what it holds. Field names know no case. */
static bool field_value(struct text line, const char *field, struct text *value)
{
    size_t n = strlen(field);
    if (line.len <= n || line.at[n] != ':' || strncasecmp(line.at, field, n) != 0)
        return false;
    size_t begin = n + 1, end = line.len;
    while (begin < end && strchr(" \t", line.at[begin]))
        begin++;
    while (end > begin && strchr(" \t\r", line.at[end - 1]))
        end--;
    *value = (struct text){line.at + begin, end - begin};
    return true;
}

/* The fields of one stanza that matter; absent ones are empty. */
struct stanza {
    struct text package, status, architecture;
};

/* Reads the next stanza; stanzas are ended by an empty line. False at the end. */
static bool next_stanza(struct text *rest, struct stanza *stanza)
{
    struct text line;
    *stanza = (struct stanza){{"", 0}, {"", 0}, {"", 0}};
    bool any = false;
    while (next_line(rest, &line)) {
        if (line.len == 0) {
            if (any)
                return true;
            continue;
        }
        any = true;
        if (!field_value(line, "Package", &stanza->package) &&
            !field_value(line, "Status", &stanza->status))
            field_value(line, "Architecture", &stanza->architecture);
    }
    return any;
}

/* "install ok installed", "hold ok installed": want, flag, state. */
static bool status_installed(struct text status)
{
    static const char ending[] = " ok installed";
    size_t n = strlen(ending);
    return status.len > n && memcmp(status.at + status.len - n, ending, n) == 0;
}

static bool find(const char *status, size_t len, const char *package, struct stanza *stanza)
{
    struct text rest = {status, len};
    while (next_stanza(&rest, stanza))
        if (text_is(stanza->package, package) && status_installed(stanza->status))
            return true;
    return false;
}

bool dpkg_installed(const char *status, size_t len, const char *package)
{
    struct stanza stanza;
    return find(status, len, package, &stanza);
}

size_t dpkg_missing(const char *status, size_t len, const char *const *packages, size_t n,
                    struct buffer *names)
{
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) {
        if (dpkg_installed(status, len, packages[i]))
            continue;
        buffer_printf(names, "%s%s", missing ? ", " : "", packages[i]);
        missing++;
    }
    return missing;
}

bool dpkg_architecture(const char *status, size_t len, struct buffer *architecture)
{
    struct stanza stanza;
    if (!find(status, len, "dpkg", &stanza) || stanza.architecture.len == 0)
        return false;
    buffer_add(architecture, stanza.architecture.at, stanza.architecture.len);
    return true;
}
