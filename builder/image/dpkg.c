#include "builder/image/dpkg.h"

#include <string.h>

static const struct dpkg_text nothing = {"", 0};

bool dpkg_text_is(struct dpkg_text text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.at, word, text.len) == 0;
}

bool dpkg_next_line(struct dpkg_text *rest, struct dpkg_text *line)
{
    if (rest->len == 0)
        return false;
    const char *newline = memchr(rest->at, '\n', rest->len);
    size_t n = newline ? (size_t)(newline - rest->at) : rest->len;
    *line = (struct dpkg_text){rest->at, n};
    n += newline != NULL;
    rest->at += n;
    rest->len -= n;
    return true;
}

bool dpkg_next(struct dpkg_text *rest, struct dpkg_text *stanza)
{
    struct dpkg_text line;
    const char *begin = NULL, *end = NULL;
    while (dpkg_next_line(rest, &line)) {
        if (line.len == 0) {
            if (begin)
                break;
            continue;
        }
        if (!begin)
            begin = line.at;
        end = line.at + line.len;
    }
    *stanza = begin ? (struct dpkg_text){begin, (size_t)(end - begin)} : nothing;
    return begin != NULL;
}

static struct dpkg_text trimmed(const char *at, size_t len)
{
    while (len && strchr(" \t\r\n", *at)) {
        at++;
        len--;
    }
    while (len && strchr(" \t\r\n", at[len - 1]))
        len--;
    return (struct dpkg_text){at, len};
}

static bool continues(struct dpkg_text rest)
{
    return rest.len && (*rest.at == ' ' || *rest.at == '\t');
}

bool dpkg_next_field(struct dpkg_text *stanza, struct dpkg_text *name, struct dpkg_text *value)
{
    struct dpkg_text line, more;
    while (dpkg_next_line(stanza, &line)) {
        const char *colon = line.len ? memchr(line.at, ':', line.len) : NULL;
        const char *end = line.at + line.len;
        if (!colon || continues(line))
            continue;
        while (continues(*stanza) && dpkg_next_line(stanza, &more))
            end = more.at + more.len;
        *name = trimmed(line.at, (size_t)(colon - line.at));
        *value = trimmed(colon + 1, (size_t)(end - colon - 1));
        return true;
    }
    return false;
}

struct dpkg_text dpkg_field(struct dpkg_text stanza, const char *wanted)
{
    struct dpkg_text name, value, found = nothing;
    while (dpkg_next_field(&stanza, &name, &value))
        if (name.len == strlen(wanted) && strncasecmp(name.at, wanted, name.len) == 0)
            found = value;
    return found;
}

/* "install ok installed", "hold ok installed": want, flag, state. */
bool dpkg_stanza_installed(struct dpkg_text stanza)
{
    static const char ending[] = " ok installed";
    struct dpkg_text status = dpkg_field(stanza, "Status");
    size_t n = strlen(ending);
    return status.len > n && memcmp(status.at + status.len - n, ending, n) == 0;
}

static bool find(const char *status, size_t len, const char *package, struct dpkg_text *stanza)
{
    struct dpkg_text rest = {status, len};
    while (dpkg_next(&rest, stanza))
        if (dpkg_text_is(dpkg_field(*stanza, "Package"), package) && dpkg_stanza_installed(*stanza))
            return true;
    return false;
}

bool dpkg_installed(const char *status, size_t len, const char *package)
{
    struct dpkg_text stanza;
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
    struct dpkg_text stanza;
    if (!find(status, len, "dpkg", &stanza))
        return false;
    struct dpkg_text found = dpkg_field(stanza, "Architecture");
    buffer_add(architecture, found.at, found.len);
    return found.len > 0;
}
