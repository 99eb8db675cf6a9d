#include "builder/cluster/node-fact.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "common/template.h"

enum { SOURCES_MAX = 8, PATHS_MAX = 8 };

static int read_fact_name(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    size_t len = strlen(text);
    if (len >= FACT_NAME_MAX || text[0] < 'A' || text[0] > 'Z' ||
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != len)
        return yaml_error(ref, err, "'%.64s' is not a fact's name (A-Z, 0-9, _)", text);
    return yaml_read_text(ref, dest, err);
}

static int read_fact_type(struct yaml_ref ref, void *dest, struct error *err)
{
    enum value_type *type = dest;
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (!value_type_parse(text, type) || *type == VALUE_SSHKEYS ||
        *type == VALUE_BUNDLE) /* these are for nodebake's own */
        return yaml_error(ref, err, "'%.64s' is not a type: label, name, ipv4, cidr or token",
                          text);
    return 0;
}

/* One source while its paths are read. */
struct reading {
    struct node_fact *fact;
    const char *source;
};

static void add_path(const struct reading *r, const char *before, const char *path)
{
    struct node_fact *fact = r->fact;
    *APPEND(fact->paths, fact->path_count, fact->path_cap) =
        (struct fact_path){heap_copy(r->source), heap_printf("%s%s", before, path)};
}

static int read_path_text(struct yaml_ref ref, void *dest, struct error *err)
{
    struct reading *r = dest;
    const char *text;
    struct error cause = ERROR_INIT;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (value_check(VALUE_TOKEN, text, &cause) < 0)
        return yaml_error(ref, err, "%s", cause.text);
    bool either = strcmp(r->source, "gce") == 0 && strncmp(text, "attributes/", 11) == 0;
    add_path(r, either ? "instance/" : "", text);
    if (either)
        add_path(r, "project/", text);
    return 0;
}

static int read_source_paths(const char *key, struct yaml_ref key_ref, struct yaml_ref value,
                             void *dest, struct error *err)
{
    struct reading r = {dest, key};
    struct error cause = ERROR_INIT;
    if (value_check(VALUE_LABEL, key, &cause) < 0)
        return yaml_error(key_ref, err, "%s", cause.text);
    if (yaml_is_list(value))
        return yaml_read_list(value, 1, PATHS_MAX, read_path_text, &r, err);
    return read_path_text(value, &r, err);
}

static int read_fact_paths(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_pairs(ref, SOURCES_MAX, read_source_paths, dest, err);
}

int node_fact_read(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"name", read_fact_name, offsetof(struct node_fact, name), true},
        {"type", read_fact_type, offsetof(struct node_fact, type), true},
        {"from", read_fact_paths, 0, true},
    };
    ((struct node_fact *)dest)->line = yaml_line(ref);
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), dest, err);
}

void node_fact_free(struct node_fact *fact)
{
    free(fact->name);
    for (size_t i = 0; i < fact->path_count; i++) {
        free(fact->paths[i].source);
        free(fact->paths[i].path);
    }
    free(fact->paths);
}
