#include "builder/yaml/scan.h"

#include <stdio.h>
#include <string.h>

#include "builder/yaml/utf8.h"

enum { DEPTH_MAX = 16 };

#define ANCHORS "anchors and aliases are not allowed here; write the value out"
#define TAGS    "tags (!…) are not allowed here; write the plain value"

/* Behind the mark that some editors put before UTF-8. */
static size_t skip_mark(const char *text, size_t len)
{
    return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* Where a byte stands; for bytes that are no text libyaml tells only their offset. */
static yaml_mark_t mark_of(const char *text, size_t len, size_t offset)
{
    yaml_mark_t at = {0};
    for (size_t i = skip_mark(text, len); i < offset && i < len; i++) {
        if (text[i] == '\n')
            at = (yaml_mark_t){.line = at.line + 1};
        else
            at.column += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return at;
}

static void add(struct problems *problems, yaml_mark_t at, const char *text)
{
    problems_add(problems, at.line + 1, at.column + 1, text);
}

void yaml_add_failure(const yaml_parser_t *parser, const char *text, size_t len,
                      struct problems *problems)
{
    char what[256];
    yaml_mark_t at = parser->problem_mark;
    if (parser->error == YAML_READER_ERROR)
        at = mark_of(text, len, parser->problem_offset);
    snprintf(what, sizeof what, "not YAML: %s", parser->problem ? parser->problem : "unreadable");
    size_t used = strlen(what);
    if (parser->context && parser->context_mark.line != at.line)
        snprintf(what + used, sizeof what - used, " %s that begins on line %zu", parser->context,
                 parser->context_mark.line + 1);
    add(problems, at, what);
}

/* Each directive makes libyaml compare it with all before it: a million bytes of them take it
 * minutes. */
static bool has_directive(const char *text, size_t len, struct problems *problems)
{
    bool found = false;
    size_t line = 1;
    for (const char *end = text + len, *p = text + skip_mark(text, len); p && p < end; line++) {
        if (*p == '%')
            problems_add(problems, line, 1, "directives (%…) are not allowed here; leave them out");
        found |= *p == '%';
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    return found;
}

static bool is_utf8(const char *text, size_t len, struct problems *problems)
{
    char what[64];
    uint32_t c = 0;
    size_t n = 0, at = 0;
    if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        problems_add(problems, 1, 1, "the file is UTF-16; save it as UTF-8");
        return false;
    }
    for (; at < len && (n = utf8_next(text + at, len - at, &c)) && c; at += n)
        ;
    if (at == len)
        return true;
    if (n)
        snprintf(what, sizeof what, "a NUL byte; the file must be text, in UTF-8");
    else
        snprintf(what, sizeof what, "the byte 0x%02x is not UTF-8; save the file as UTF-8",
                 (unsigned char)text[at]);
    add(problems, mark_of(text, len, at), what);
    return false;
}

static const char *event_anchor(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return (const char *)e->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return (const char *)e->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return (const char *)e->data.mapping_start.anchor;
    case YAML_ALIAS_EVENT:
        return "alias";
    default:
        return NULL;
    }
}

static const char *event_tag(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return (const char *)e->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return (const char *)e->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return (const char *)e->data.mapping_start.tag;
    default:
        return NULL;
    }
}

struct scan {
    struct problems *problems;
    int depth, documents, aliases;
};

/* False where the scan has to end. */
static bool look_at(const yaml_event_t *e, struct scan *scan)
{
    bool starts = e->type == YAML_MAPPING_START_EVENT || e->type == YAML_SEQUENCE_START_EVENT;
    bool ends = e->type == YAML_MAPPING_END_EVENT || e->type == YAML_SEQUENCE_END_EVENT;
    scan->depth += starts - ends;
    scan->documents += e->type == YAML_DOCUMENT_START_EVENT;
    scan->aliases += e->type == YAML_ALIAS_EVENT;
    if (event_anchor(e))
        add(scan->problems, e->start_mark, ANCHORS);
    if (event_tag(e))
        add(scan->problems, e->start_mark, TAGS);
    if (scan->depth > DEPTH_MAX)
        add(scan->problems, e->start_mark, "nested more than 16 deep; nothing here needs that");
    if (scan->documents > 1)
        add(scan->problems, e->start_mark, "a second document; this file holds one");
    return scan->depth <= DEPTH_MAX && scan->documents <= 1 && e->type != YAML_STREAM_END_EVENT;
}

static bool scan_events(yaml_parser_t *parser, const char *text, size_t len,
                        struct problems *problems)
{
    struct scan scan = {.problems = problems};
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            yaml_add_failure(parser, text, len, problems);
            return false;
        }
        more = look_at(&event, &scan);
        yaml_event_delete(&event);
    }
    /* What is wrong in an alias would be told of where its anchor is. */
    return scan.depth <= DEPTH_MAX && !scan.aliases;
}

bool yaml_scan(const char *text, size_t len, struct problems *problems)
{
    yaml_parser_t parser;
    if (!is_utf8(text, len, problems) || has_directive(text, len, problems))
        return false;
    if (!yaml_parser_initialize(&parser)) {
        problems_add(problems, 1, 1, "out of memory");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    bool readable = scan_events(&parser, text, len, problems);
    yaml_parser_delete(&parser);
    /* With the list full there is nothing to look for, and among as many anchors libyaml is slow.
     */
    return readable && !problems->more;
}
