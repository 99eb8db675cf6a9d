#include "firstboot/bundle.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/base64.h"
#include "firstboot/words.h"

/* The longest line: "file NAME LENGTH". */
enum { BUNDLE_LINE_MAX = sizeof "file " + sizeof((struct bundle_file *)0)->name + sizeof " 12000" };

/* The line that was taken last. Where a length lies it may be one of a key, so bundle_wipe wipes
 * it. */
static char line[BUNDLE_LINE_MAX];

/* What is left to read. */
struct rest {
    const char *at, *end;
};

int bundle_add(struct bundle *b, const char *base64, size_t len, struct error *err)
{
    size_t size;
    if (!base64_size(base64, len, &size))
        return error_set(err, "not base64 in one line");
    if (size > sizeof b->bytes - b->len)
        return error_set(err, "more than the %d bytes that a bundle may have", CONTRACT_BUNDLE_MAX);
    for (size_t i = 0; i < size; i++)
        b->bytes[b->len++] = (char)base64_byte(base64, i);
    return 0;
}

/* The next line without its newline; false when none ends within bounds, or it is no text. */
static bool take_line(struct rest *rest)
{
    size_t n = 0, left = (size_t)(rest->end - rest->at);
    while (n < left && n < BUNDLE_LINE_MAX && rest->at[n] >= ' ' && rest->at[n] <= '~')
        n++;
    if (n == left || n == BUNDLE_LINE_MAX || rest->at[n] != '\n')
        return false;
    memcpy(line, rest->at, n);
    line[n] = '\0';
    rest->at += n + 1;
    return true;
}

/* What stands behind "WORD " in that line, or NULL. */
static char *behind(const char *word)
{
    size_t n = strlen(word);
    return strncmp(line, word, n) == 0 && line[n] == ' ' ? line + n + 1 : NULL;
}

/* The two lines at its begin; the name is good until another line is taken. */
static int begin(const struct bundle *b, struct rest *rest, const char **node, struct error *err)
{
    static const char magic[] = CONTRACT_BUNDLE_BEGIN;
    *rest = (struct rest){b->bytes, b->bytes + b->len};
    if (!take_line(rest) || !behind("nodebake-identity"))
        return error_set(err, "not a bundle; its first line is '%s'", magic);
    if (strcmp(line, magic) != 0)
        return error_set(err, "a version of bundles that is not known; this firstboot reads '%s'",
                         magic);
    *node = take_line(rest) ? behind("node") : NULL;
    if (!*node || !dns_label_valid(*node))
        return error_set(err, "its second line is not 'node NAME'");
    return 0;
}

static bool take_file(struct rest *rest, char *name, struct bundle_file *out)
{
    char *space = strchr(name, ' ');
    uint32_t len;
    if (!space)
        return false;
    *space = '\0';
    if (!word_to_number(space + 1, CONTRACT_BUNDLE_MAX, &len) || !word_is_path(name, false) ||
        (size_t)snprintf(out->name, sizeof out->name, "%s", name) >= sizeof out->name)
        return false;
    out->bytes = rest->at;
    out->len = len;
    return true;
}

/* The next file: 1, or 0 at the end of the bundle. `n` counts it, for errors. */
static int next(struct rest *rest, unsigned n, struct bundle_file *out, struct error *err)
{
    if (!take_line(rest))
        return error_set(err, "no line 'file NAME LENGTH' or 'end' behind %u files", n - 1);
    if (strcmp(line, CONTRACT_BUNDLE_END) == 0)
        return rest->at == rest->end ? 0 : error_set(err, "bytes behind its end");
    char *name = behind("file");
    if (!name || !take_file(rest, name, out))
        return error_set(err, "no line 'file NAME LENGTH' or 'end' behind %u files", n - 1);
    size_t left = (size_t)(rest->end - rest->at);
    if (out->len >= left || out->bytes[out->len] != '\n')
        return error_set(err, "the length of file %u is not right", n);
    rest->at += out->len + 1;
    return 1;
}

/* Walks to the file of that name: 1, or 0 when it is not among the first `most`. */
static int find(const struct bundle *b, const char *name, unsigned most, struct bundle_file *out,
                struct error *err)
{
    const char *node;
    struct rest rest;
    int got = begin(b, &rest, &node, err);
    for (unsigned n = 1; got >= 0 && n <= most; n++) {
        got = next(&rest, n, out, err);
        if (got <= 0 || strcmp(out->name, name) == 0)
            return got;
    }
    return got < 0 ? -1 : 0;
}

int bundle_check(const struct bundle *b, struct error *err)
{
    const char *node;
    struct rest rest;
    struct bundle_file file, other;
    int got = begin(b, &rest, &node, err);
    for (unsigned n = 1; got >= 0; n++) {
        got = next(&rest, n, &file, err);
        if (got <= 0)
            return got;
        if (find(b, file.name, n - 1, &other, err) != 0)
            return error_set(err, "file %u is there twice", n);
    }
    return -1;
}

int bundle_is_of(const struct bundle *b, const char *node, struct error *err)
{
    const char *own;
    struct rest rest;
    if (begin(b, &rest, &own, err) < 0)
        return -1;
    if (strcmp(own, node) != 0)
        return error_set(err, "the identity is that of %s, and this machine is %s", own, node);
    return 0;
}

bool bundle_find(const struct bundle *b, const char *name, struct bundle_file *out)
{
    struct error ignored = ERROR_INIT;
    return find(b, name, CONTRACT_BUNDLE_MAX, out, &ignored) > 0;
}

void bundle_wipe(struct bundle *b)
{
    explicit_bzero(b->bytes, b->len);
    explicit_bzero(line, sizeof line);
    b->len = 0;
}
