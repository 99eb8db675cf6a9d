#include "builder/yaml/yaml.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/yaml/scan.h"
#include "builder/yaml/similar.h"
#include "builder/yaml/utf8.h"
#include "common/file.h"

struct yaml_file {
    struct problems *problems;
    yaml_document_t doc;
};

static int load_document(const char *text, size_t len, struct yaml_file *file)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return -1;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    bool loaded = yaml_parser_load(&parser, &file->doc);
    /* Only two anchors of one name can be wrong here, and all have been told of. */
    if (!loaded && !file->problems->count)
        yaml_add_failure(&parser, text, len, file->problems);
    yaml_parser_delete(&parser);
    return loaded ? 0 : -1;
}

int yaml_parse(const char *name, const char *text, size_t len, struct problems *problems,
               struct yaml_file **out, struct error *err)
{
    problems_name(problems, name);
    if (!yaml_scan(text, len, problems))
        return problems_settle(problems, -1, err);
    struct yaml_file *file = heap_array(1, sizeof *file);
    file->problems = problems;
    if (load_document(text, len, file) < 0) {
        free(file);
        return problems_settle(problems, -1, err);
    }
    if (!yaml_document_get_root_node(&file->doc)) {
        problems_add(problems, 1, 1, "the file is empty");
        yaml_close(file);
        return problems_settle(problems, -1, err);
    }
    *out = file;
    return 0;
}

int yaml_load(const char *path, struct problems *problems, struct yaml_file **out,
              struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (file_read(AT_FDCWD, path, YAML_FILE_MAX, &text, err) < 0)
        return -1;
    return yaml_parse(path, text.data, text.len, problems, out, err);
}

void yaml_close(struct yaml_file *file)
{
    if (!file)
        return;
    yaml_document_delete(&file->doc);
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

static void add_problem(struct yaml_ref ref, struct error *err, const char *fmt, va_list ap)
{
    yaml_mark_t at = node_of(ref)->start_mark;
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    /* Texts of the file are cited, and may hold what a terminal would obey. */
    utf8_printable(err->text);
    problems_add(ref.file->problems, at.line + 1, at.column + 1, err->text);
    error_context(err, "%s:%zu:%zu", ref.file->problems->file, at.line + 1, at.column + 1);
}

int yaml_error(struct yaml_ref ref, struct error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_problem(ref, err, fmt, ap);
    va_end(ap);
    return -1;
}

void yaml_problem(struct yaml_ref ref, const char *fmt, ...)
{
    struct error unused = ERROR_INIT;
    va_list ap;
    va_start(ap, fmt);
    add_problem(ref, &unused, fmt, ap);
    va_end(ap);
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

bool yaml_is_scalar(struct yaml_ref ref)
{
    return node_of(ref)->type == YAML_SCALAR_NODE;
}

static int expect_map(struct yaml_ref ref, size_t *count, struct error *err)
{
    const yaml_node_t *node = node_of(ref);
    if (node->type != YAML_MAPPING_NODE)
        return yaml_error(ref, err, "expected a map (key: value)");
    *count = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    return 0;
}

/* A pair of a map, and its key's text. */
struct pair {
    struct yaml_ref key_ref, value;
    const char *key;
};

static int read_pair(struct yaml_ref map, size_t i, struct pair *pair, struct error *err)
{
    const yaml_node_pair_t *node = node_of(map)->data.mapping.pairs.start + i;
    pair->key_ref = (struct yaml_ref){map.file, node->key};
    pair->value = (struct yaml_ref){map.file, node->value};
    return yaml_scalar(pair->key_ref, &pair->key, err);
}

static int repeated_key(const struct pair *pair, unsigned line, struct error *err)
{
    return yaml_error(pair->key_ref, err, "'%.64s' stands here twice; first on line %u", pair->key,
                      line);
}

/* A map while it is read into a struct. */
struct reading {
    const struct yaml_field *fields;
    size_t field_count;
    unsigned *lines; /* of the key of each field; 0: it has not been seen */
    void *dest;
    struct pair *unknown;
    size_t unknown_count, unknown_cap;
};

static int read_field(struct reading *r, size_t f, const struct pair *pair, struct error *err)
{
    if (r->lines[f])
        return repeated_key(pair, r->lines[f], err);
    r->lines[f] = yaml_line(pair->key_ref);
    return r->fields[f].read(pair->value, (char *)r->dest + r->fields[f].offset, err);
}

static int read_known(struct reading *r, const struct pair *pair, struct error *err)
{
    for (size_t f = 0; f < r->field_count; f++)
        if (strcmp(r->fields[f].key, pair->key) == 0)
            return read_field(r, f, pair, err);
    *APPEND(r->unknown, r->unknown_count, r->unknown_cap) = *pair;
    return 0;
}

/* A key that is misspelt by a letter is read as the one that was meant: its value is looked at, and
 * it is not missing. */
static void read_unknown(struct reading *r, const struct pair *pair, struct error *err)
{
    struct buffer known AUTO_BUFFER = buffer_heap();
    for (size_t f = 0; f < r->field_count; f++) {
        if (!r->lines[f] && yaml_similar(pair->key, r->fields[f].key)) {
            yaml_error(pair->key_ref, err, "unknown key '%.64s'; did you mean '%s'?", pair->key,
                       r->fields[f].key);
            (void)!read_field(r, f, pair, err);
            return;
        }
        buffer_printf(&known, "%s%s", f ? ", " : "", r->fields[f].key);
    }
    yaml_error(pair->key_ref, err, "unknown key '%.64s'; known here: %s", pair->key, known.data);
}

static int read_pairs(struct reading *r, struct yaml_ref map, size_t count, struct error *err)
{
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        struct pair pair;
        if (read_pair(map, i, &pair, err) < 0 || read_known(r, &pair, err) < 0)
            result = -1;
    }
    for (size_t i = 0; i < r->unknown_count; i++)
        read_unknown(r, &r->unknown[i], err);
    for (size_t f = 0; f < r->field_count; f++)
        if (r->fields[f].required && !r->lines[f])
            result = yaml_error(map, err, "the key '%s' is missing", r->fields[f].key);
    return r->unknown_count ? -1 : result;
}

int yaml_read_map(struct yaml_ref ref, const struct yaml_field *fields, size_t n, void *dest,
                  struct error *err)
{
    size_t count = 0;
    if (expect_map(ref, &count, err) < 0)
        return -1;
    struct reading r = {fields, n, heap_array(n, sizeof(unsigned)), dest, NULL, 0, 0};
    int result = read_pairs(&r, ref, count, err);
    free(r.lines);
    free(r.unknown);
    return result;
}

/* The line of the earlier pair of that key, or 0. */
static unsigned earlier_key(struct yaml_ref map, size_t before, const char *key)
{
    for (size_t i = 0; i < before; i++) {
        struct yaml_ref ref = {map.file, node_of(map)->data.mapping.pairs.start[i].key};
        const yaml_node_t *node = node_of(ref);
        if (node->type == YAML_SCALAR_NODE &&
            strcmp((const char *)node->data.scalar.value, key) == 0)
            return yaml_line(ref);
    }
    return 0;
}

static int read_free_pair(struct yaml_ref map, size_t i, yaml_pair_reader *read, void *dest,
                          struct error *err)
{
    struct pair pair;
    if (read_pair(map, i, &pair, err) < 0)
        return -1;
    unsigned line = earlier_key(map, i, pair.key);
    if (line)
        return repeated_key(&pair, line, err);
    return read(pair.key, pair.key_ref, pair.value, dest, err);
}

int yaml_read_pairs(struct yaml_ref ref, size_t max, yaml_pair_reader *read, void *dest,
                    struct error *err)
{
    size_t count = 0;
    int result = 0;
    if (expect_map(ref, &count, err) < 0)
        return -1;
    if (count > max)
        result = yaml_error(ref, err, "%zu keys; at most %zu are allowed", count, max);
    for (size_t i = 0; i < count && i < max; i++)
        if (read_free_pair(ref, i, read, dest, err) < 0)
            result = -1;
    return result;
}

bool yaml_is_list(struct yaml_ref ref)
{
    return node_of(ref)->type == YAML_SEQUENCE_NODE;
}

int yaml_read_list(struct yaml_ref ref, size_t min, size_t max, yaml_reader *read, void *dest,
                   struct error *err)
{
    const yaml_node_t *node = node_of(ref);
    int result = 0;
    if (node->type != YAML_SEQUENCE_NODE)
        return yaml_error(ref, err, "expected a list (- item)");
    const yaml_node_item_t *items = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - items);
    if (count < min || count > max)
        result = yaml_error(ref, err, "%zu items; %zu to %zu are allowed", count, min, max);
    for (size_t i = 0; i < count && i < max; i++)
        if (read((struct yaml_ref){ref.file, items[i]}, dest, err) < 0)
            result = -1;
    return result;
}
