#include "builder/yaml/yaml.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "builder/heap.h"
#include "common/file.h"

enum { DEPTH_MAX = 16 };

struct yaml_file {
    char *name;
    yaml_document_t doc;
};

/* Where a byte stands; for bytes that are no text libyaml tells only their offset. */
static yaml_mark_t mark_of(const char *text, size_t offset)
{
    yaml_mark_t at = {0};
    for (size_t i = 0; i < offset; i++) {
        at.column = text[i] == '\n' ? 0 : at.column + 1;
        at.line += text[i] == '\n';
    }
    return at;
}

static int parser_error(const char *name, const char *text, size_t len, const yaml_parser_t *parser,
                        struct error *err)
{
    yaml_mark_t mark = parser->problem_mark;
    if (parser->error == YAML_READER_ERROR)
        mark = mark_of(text, parser->problem_offset < len ? parser->problem_offset : len);
    const yaml_mark_t *at = &mark;
    return error_set(err, "%s:%zu:%zu: not YAML: %s", name, at->line + 1, at->column + 1,
                     parser->problem ? parser->problem : "unreadable");
}

static int mark_error(const char *name, yaml_mark_t at, const char *what, struct error *err)
{
    return error_set(err, "%s:%zu:%zu: %s", name, at.line + 1, at.column + 1, what);
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

/* What of YAML these files do not use, or NULL. */
static const char *event_refusal(const yaml_event_t *e, int *depth, int *documents)
{
    if (e->type == YAML_MAPPING_START_EVENT || e->type == YAML_SEQUENCE_START_EVENT)
        ++*depth;
    if (e->type == YAML_MAPPING_END_EVENT || e->type == YAML_SEQUENCE_END_EVENT)
        --*depth;
    if (e->type == YAML_DOCUMENT_START_EVENT)
        ++*documents;
    if (event_anchor(e))
        return "anchors and aliases are not allowed here; write the value out";
    if (event_tag(e))
        return "tags (!…) are not allowed here; write the plain value";
    if (*depth > DEPTH_MAX)
        return "nested too deeply";
    return *documents > 1 ? "a second document; this file holds one" : NULL;
}

/* The composed document no longer shows anchors, tags and depth; the events do. */
static int scan_events(const char *name, const char *text, size_t len, struct error *err)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return error_set(err, "%s: out of memory", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    int result = 0, depth = 0, documents = 0;
    for (bool end = false; !end && result == 0;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            result = parser_error(name, text, len, &parser, err);
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        const char *refusal = event_refusal(&event, &depth, &documents);
        if (refusal)
            result = mark_error(name, event.start_mark, refusal, err);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return result;
}

int yaml_parse(const char *name, const char *text, size_t len, struct yaml_file **out,
               struct error *err)
{
    if (scan_events(name, text, len, err) < 0)
        return -1;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return error_set(err, "%s: out of memory", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    struct yaml_file *file = heap_array(1, sizeof *file);
    int result = 0;
    if (!yaml_parser_load(&parser, &file->doc)) {
        result = parser_error(name, text, len, &parser, err);
        free(steal(file));
    } else {
        file->name = heap_copy(name);
        if (!yaml_document_get_root_node(&file->doc))
            result = error_set(err, "%s:1:1: the file is empty", name);
    }
    yaml_parser_delete(&parser);
    if (result < 0)
        yaml_close(file);
    else
        *out = file;
    return result;
}

int yaml_load(const char *path, struct yaml_file **out, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (file_read(AT_FDCWD, path, YAML_FILE_MAX, &text, err) < 0)
        return -1;
    return yaml_parse(path, text.data, text.len, out, err);
}

void yaml_close(struct yaml_file *file)
{
    if (!file)
        return;
    yaml_document_delete(&file->doc);
    free(file->name);
    free(file);
}

void yaml_close_at(struct yaml_file **file)
{
    yaml_close(*file);
}

/* libyaml's accessors take a document that is not const, and change nothing in it. */
static yaml_node_t *node_of(struct yaml_ref ref)
{
    return yaml_document_get_node((yaml_document_t *)&ref.file->doc, ref.index);
}

struct yaml_ref yaml_root(const struct yaml_file *file)
{
    return (struct yaml_ref){file, 1};
}

unsigned yaml_line(struct yaml_ref ref)
{
    return (unsigned)node_of(ref)->start_mark.line + 1;
}

int yaml_error(struct yaml_ref ref, struct error *err, const char *fmt, ...)
{
    yaml_mark_t at = node_of(ref)->start_mark;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    /* Texts of the file are cited, and may hold what a terminal would obey. */
    for (char *c = err->text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    error_context(err, "%s:%zu:%zu", ref.file->name, at.line + 1, at.column + 1);
    return -1; /* written out, for gcc's analyzer */
}

int yaml_scalar(struct yaml_ref ref, const char **text, struct error *err)
{
    const yaml_node_t *node = node_of(ref);
    if (node->type != YAML_SCALAR_NODE)
        return yaml_error(ref, err, "a %s stands where a single value belongs",
                          node->type == YAML_MAPPING_NODE ? "map" : "list");
    const char *value = (const char *)node->data.scalar.value;
    if (strlen(value) != node->data.scalar.length)
        return yaml_error(ref, err, "the value holds a NUL byte");
    *text = value;
    return 0;
}

/* One pair of a map, its key a scalar that no earlier pair of the map has. */
static int map_pair(struct yaml_ref map, size_t i, const char **key, struct yaml_ref *key_ref,
                    struct yaml_ref *value, struct error *err)
{
    const yaml_node_pair_t *pairs = node_of(map)->data.mapping.pairs.start;
    *key_ref = (struct yaml_ref){map.file, pairs[i].key};
    *value = (struct yaml_ref){map.file, pairs[i].value};
    if (yaml_scalar(*key_ref, key, err) < 0)
        return -1;
    for (size_t j = 0; j < i; j++) {
        struct yaml_ref earlier = {map.file, pairs[j].key};
        const char *other;
        if (yaml_scalar(earlier, &other, err) < 0)
            return -1;
        if (strcmp(other, *key) == 0)
            return yaml_error(*key_ref, err, "'%s' stands here twice; first on line %u", *key,
                              yaml_line(earlier));
    }
    return 0;
}

static int expect_map(struct yaml_ref ref, size_t *count, struct error *err)
{
    const yaml_node_t *node = node_of(ref);
    if (node->type != YAML_MAPPING_NODE)
        return yaml_error(ref, err, "expected a map (key: value)");
    *count = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    return 0;
}

static int unknown_key(struct yaml_ref ref, const char *key, const struct yaml_field *fields,
                       size_t n, struct error *err)
{
    char known[512];
    struct buffer list = BUFFER_FIXED(known);
    for (size_t i = 0; i < n; i++)
        buffer_printf(&list, "%s%s", i ? ", " : "", fields[i].key);
    return yaml_error(ref, err, "unknown key '%.64s'; known here: %s", key, known);
}

static int read_pair(struct yaml_ref map, size_t i, const struct yaml_field *fields, size_t n,
                     void *dest, bool *seen, struct error *err)
{
    const char *key;
    struct yaml_ref key_ref, value;
    if (map_pair(map, i, &key, &key_ref, &value, err) < 0)
        return -1;
    for (size_t f = 0; f < n; f++) {
        if (strcmp(fields[f].key, key) != 0)
            continue;
        seen[f] = true;
        return fields[f].read(value, (char *)dest + fields[f].offset, err);
    }
    return unknown_key(key_ref, key, fields, n, err);
}

int yaml_read_map(struct yaml_ref ref, const struct yaml_field *fields, size_t n, void *dest,
                  struct error *err)
{
    size_t count = 0;
    if (expect_map(ref, &count, err) < 0)
        return -1;
    bool *seen AUTO_FREE = heap_array(n, sizeof *seen);
    for (size_t i = 0; i < count; i++)
        if (read_pair(ref, i, fields, n, dest, seen, err) < 0)
            return -1;
    for (size_t f = 0; f < n; f++)
        if (fields[f].required && !seen[f])
            return yaml_error(ref, err, "the key '%s' is missing", fields[f].key);
    return 0;
}

int yaml_read_pairs(struct yaml_ref ref, size_t max, yaml_pair_reader *read, void *dest,
                    struct error *err)
{
    size_t count = 0;
    if (expect_map(ref, &count, err) < 0)
        return -1;
    if (count > max)
        return yaml_error(ref, err, "%zu keys; at most %zu are allowed", count, max);
    for (size_t i = 0; i < count; i++) {
        const char *key;
        struct yaml_ref key_ref, value;
        if (map_pair(ref, i, &key, &key_ref, &value, err) < 0 ||
            read(key, key_ref, value, dest, err) < 0)
            return -1;
    }
    return 0;
}

int yaml_read_list(struct yaml_ref ref, size_t min, size_t max, yaml_reader *read, void *dest,
                   struct error *err)
{
    const yaml_node_t *node = node_of(ref);
    if (node->type != YAML_SEQUENCE_NODE)
        return yaml_error(ref, err, "expected a list (- item)");
    const yaml_node_item_t *items = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - items);
    if (count < min || count > max)
        return yaml_error(ref, err, "%zu items; %zu to %zu are allowed", count, min, max);
    for (size_t i = 0; i < count; i++)
        if (read((struct yaml_ref){ref.file, items[i]}, dest, err) < 0)
            return -1;
    return 0;
}
