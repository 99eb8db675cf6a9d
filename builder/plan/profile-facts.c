#include "builder/plan/profile-facts.h"

#include <string.h>

#include "builder/heap.h"
#include "builder/plan/profile.h"
#include "common/contract.h"
#include "common/template.h"

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
    if (!value_type_parse(text, type) || *type == VALUE_SSHKEYS) /* that is for nodebake's own */
        return yaml_error(ref, err, "'%.64s' is not a type: label, name, ipv4, cidr or token",
                          text);
    return 0;
}

static int append_fact_path(const char *key, struct yaml_ref key_ref, struct yaml_ref value,
                            void *dest, struct error *err)
{
    struct node_fact *fact = dest;
    const char *text;
    struct error cause = ERROR_INIT;
    if (value_check(VALUE_LABEL, key, &cause) < 0)
        return yaml_error(key_ref, err, "%s", cause.text);
    if (yaml_scalar(value, &text, err) < 0)
        return -1;
    if (value_check(VALUE_TOKEN, text, &cause) < 0)
        return yaml_error(value, err, "%s", cause.text);
    struct fact_path *path = APPEND(fact->paths, fact->path_count, fact->path_cap);
    path->source = heap_copy(key);
    path->path = heap_copy(text);
    return 0;
}

static int read_fact_paths(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_pairs(ref, 8, append_fact_path, dest, err);
}

static int append_fact(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"name", read_fact_name, offsetof(struct node_fact, name), true},
        {"type", read_fact_type, offsetof(struct node_fact, type), true},
        {"from", read_fact_paths, 0, true},
    };
    struct profile *profile = dest;
    struct node_fact *fact = APPEND(profile->facts, profile->fact_count, profile->fact_cap);
    if (yaml_read_map(ref, fields, ARRAY_LEN(fields), fact, err) < 0)
        return -1;
    if (profile_fact(profile, fact->name) != fact)
        return yaml_error(ref, err, "the fact %s stands here twice", fact->name);
    if (strcmp(fact->name, CONTRACT_NODE_FACT) == 0 && fact->type != VALUE_LABEL)
        return yaml_error(ref, err, "the type of " CONTRACT_NODE_FACT " is label, not %s",
                          value_type_name(fact->type));
    return 0;
}

int profile_read_facts(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, PROFILE_LIST_MAX, append_fact, dest, err);
}
