#include "builder/package/sources.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builder/heap.h"

/* A file that is read. */
struct reading {
    const char *file;
    const char *architecture;
    unsigned line; /* of the entry */
    struct sources *out;
    struct error *err;
};

/* An entry before it is known to count. */
struct draft {
    struct source source;
    struct texts types, architectures, not_for;
    bool disabled;
};

static void source_free(struct source *source)
{
    free(source->file);
    texts_free(&source->uris);
    texts_free(&source->suites);
    texts_free(&source->components);
    texts_free(&source->keys);
    free(source->key_block);
    free(source->check_valid_until);
    *source = (struct source){0};
}

static void draft_free(struct draft *draft)
{
    source_free(&draft->source);
    texts_free(&draft->types);
    texts_free(&draft->architectures);
    texts_free(&draft->not_for);
}

static char *copy_of(struct dpkg_text text)
{
    return heap_printf("%.*s", (int)text.len, text.at);
}

/* Cuts the next word off; words are apart by `gaps`. */
static bool next_word(struct dpkg_text *rest, const char *gaps, struct dpkg_text *word)
{
    while (rest->len && strchr(gaps, *rest->at)) {
        rest->at++;
        rest->len--;
    }
    size_t n = 0;
    while (n < rest->len && !strchr(gaps, rest->at[n]))
        n++;
    *word = (struct dpkg_text){rest->at, n};
    rest->at += n;
    rest->len -= n;
    return n > 0;
}

static void add_words(struct texts *texts, struct dpkg_text list)
{
    struct dpkg_text word;
    while (next_word(&list, ", \t\r\n", &word)) {
        char *copy AUTO_FREE = copy_of(word);
        texts_add(texts, copy);
    }
}

static void set_keys(struct draft *draft, struct dpkg_text value)
{
    static const char begin[] = "-----BEGIN";
    if (value.len && memmem(value.at, value.len, begin, sizeof begin - 1)) {
        free(draft->source.key_block);
        draft->source.key_block = copy_of(value);
    } else {
        add_words(&draft->source.keys, value);
    }
}

static bool is_no(struct dpkg_text value)
{
    static const char *const words[] = {"no", "false", "without", "off", "disable", "0"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (value.len == strlen(words[i]) && strncasecmp(value.at, words[i], value.len) == 0)
            return true;
    return false;
}

/* The options that both formats have; what else there is does not concern us, or is about trust. */
static void set_option(struct draft *draft, const char *name, struct dpkg_text value)
{
    if (strcasecmp(name, "Signed-By") == 0)
        set_keys(draft, value);
    else if (strcasecmp(name, "Check-Valid-Until") == 0 && is_no(value)) {
        free(draft->source.check_valid_until);
        draft->source.check_valid_until = heap_copy("no");
    } else if (strcasecmp(name, "Architectures") == 0 || strcasecmp(name, "arch") == 0)
        add_words(&draft->architectures, value);
    else if (strcasecmp(name, "Architectures-Remove") == 0 || strcasecmp(name, "arch-") == 0)
        add_words(&draft->not_for, value);
}

/* A suite that is a path stands alone, another one has components. */
static bool is_whole(const struct source *source)
{
    bool paths = true;
    for (size_t i = 0; i < source->suites.count; i++) {
        const char *suite = source->suites.items[i];
        paths = paths && suite[strlen(suite) - 1] == '/';
    }
    return source->uris.count && source->suites.count && paths == (source->components.count == 0);
}

static bool concerns_us(const struct reading *r, const struct draft *draft)
{
    return !draft->disabled && texts_have(&draft->types, "deb") &&
           (!draft->architectures.count || texts_have(&draft->architectures, r->architecture)) &&
           !texts_have(&draft->not_for, r->architecture);
}

static int finish(const struct reading *r, struct draft *draft)
{
    if (!concerns_us(r, draft))
        return 0;
    if (!is_whole(&draft->source))
        return error_set(r->err,
                         "%s:%u: a repository has a URI, a suite and components, or a suite that "
                         "ends with /",
                         r->file, r->line);
    if (r->out->count == SOURCES_MAX)
        return error_set(r->err, "%s:%u: more than %d repositories", r->file, r->line, SOURCES_MAX);
    draft->source.file = heap_copy(r->file);
    *APPEND(r->out->items, r->out->count, r->out->cap) = draft->source;
    draft->source = (struct source){0};
    return 0;
}

/* ---- .list: deb [option=value …] URI suite component… ---- */

static int read_options(const struct reading *r, struct dpkg_text *rest, struct draft *draft)
{
    struct dpkg_text word;
    while (rest->len && strchr(" \t", *rest->at)) {
        rest->at++;
        rest->len--;
    }
    if (!rest->len || *rest->at != '[')
        return 0;
    const char *end = memchr(rest->at, ']', rest->len);
    if (!end)
        return error_set(r->err, "%s:%u: '[' without ']'", r->file, r->line);
    struct dpkg_text options = {rest->at + 1, (size_t)(end - rest->at) - 1};
    rest->len -= (size_t)(end + 1 - rest->at);
    rest->at = end + 1;
    while (next_word(&options, " \t", &word)) {
        const char *equals = memchr(word.at, '=', word.len);
        if (!equals)
            continue;
        char *name AUTO_FREE = copy_of((struct dpkg_text){word.at, (size_t)(equals - word.at)});
        size_t n = word.len - (size_t)(equals + 1 - word.at);
        set_option(draft, name, (struct dpkg_text){equals + 1, n});
    }
    return 0;
}

static int read_line(const struct reading *r, struct dpkg_text rest)
{
    struct draft draft __attribute__((cleanup(draft_free))) = {0};
    struct dpkg_text type, uri, suite;
    if (!next_word(&rest, " \t\r", &type))
        return 0;
    add_words(&draft.types, type);
    if (read_options(r, &rest, &draft) < 0)
        return -1;
    if (next_word(&rest, " \t\r", &uri))
        add_words(&draft.source.uris, uri);
    if (next_word(&rest, " \t\r", &suite))
        add_words(&draft.source.suites, suite);
    add_words(&draft.source.components, rest);
    return finish(r, &draft);
}

static int read_list(struct reading *r, struct dpkg_text text)
{
    struct dpkg_text line;
    while (dpkg_next_line(&text, &line)) {
        const char *comment = line.len ? memchr(line.at, '#', line.len) : NULL;
        r->line++;
        if (comment)
            line.len = (size_t)(comment - line.at);
        if (read_line(r, line) < 0)
            return -1;
    }
    return 0;
}

/* ---- .sources: deb822 ---- */

static void set_field(struct draft *draft, const char *name, struct dpkg_text value)
{
    const struct {
        const char *name;
        struct texts *texts;
    } lists[] = {{"Types", &draft->types},
                 {"URIs", &draft->source.uris},
                 {"Suites", &draft->source.suites},
                 {"Components", &draft->source.components}};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (strcasecmp(name, lists[i].name) == 0) {
            add_words(lists[i].texts, value);
            return;
        }
    if (strcasecmp(name, "Enabled") == 0)
        draft->disabled = is_no(value);
    else
        set_option(draft, name, value);
}

/* A comment may stand between the lines of a field. */
static void without_comments(struct dpkg_text text, struct buffer *out)
{
    struct dpkg_text line;
    while (dpkg_next_line(&text, &line))
        if (line.len == 0 || *line.at != '#')
            buffer_printf(out, "%.*s\n", (int)line.len, line.at);
}

static unsigned line_of(struct dpkg_text text, const char *at)
{
    unsigned line = 1;
    for (const char *p = text.at; p < at; p++)
        line += *p == '\n';
    return line;
}

static int read_stanzas(struct reading *r, struct dpkg_text text)
{
    struct dpkg_text all = text, stanza, name, value;
    while (dpkg_next(&text, &stanza)) {
        struct draft draft __attribute__((cleanup(draft_free))) = {0};
        struct buffer clean AUTO_BUFFER = buffer_heap();
        without_comments(stanza, &clean);
        struct dpkg_text rest = {clean.data, clean.len};
        while (dpkg_next_field(&rest, &name, &value)) {
            char *copy AUTO_FREE = copy_of(name);
            set_field(&draft, copy, value);
        }
        r->line = line_of(all, stanza.at);
        if (finish(r, &draft) < 0)
            return -1;
    }
    return 0;
}

int sources_read(const char *file, struct dpkg_text text, const char *architecture,
                 struct sources *out, struct error *err)
{
    struct reading r = {.file = file, .architecture = architecture, .out = out, .err = err};
    const char *suffix = strrchr(file, '.');
    if (text.len && memchr(text.at, '\0', text.len))
        return error_set(err, "%s: not a text", file);
    if (suffix && strcmp(suffix, ".sources") == 0)
        return read_stanzas(&r, text);
    return read_list(&r, text);
}

void sources_free(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        source_free(&sources->items[i]);
    free(sources->items);
    *sources = (struct sources){0};
}
