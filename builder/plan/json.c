/* Plans as JSON. */
#include <jansson.h>
#include <stdio.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/node-facts.h"
#include "builder/plan/print.h"

static json_t *xattrs_json(const struct entry *e)
{
    json_t *o = json_object();
    for (size_t i = 0; i < e->xattr_count; i++) {
        char *hex AUTO_FREE = xattr_hex(&e->xattrs[i]);
        json_object_set_new(o, e->xattrs[i].name, e->secret ? json_null() : json_string(hex));
    }
    return o;
}

static json_t *entry_json(const struct entry *e)
{
    char mode[8];
    snprintf(mode, sizeof mode, "%04o", (unsigned)e->mode & 07777);
    json_t *o = json_pack("{s:s, s:s}", "path", e->path, "type", entry_type_word(e->type));
    if (e->type != ENTRY_HARDLINK && e->type != ENTRY_GONE) {
        json_object_set_new(o, "uid", json_integer(e->uid));
        json_object_set_new(o, "gid", json_integer(e->gid));
    }
    json_object_set_new(o, "from", json_string(e->source));
    if (e->target)
        json_object_set_new(o, "target", json_string(e->target));
    else if (e->type != ENTRY_GONE)
        json_object_set_new(o, "mode", json_string(mode));
    if (e->xattr_count)
        json_object_set_new(o, "xattrs", xattrs_json(e));
    if (e->host)
        json_object_set_new(o, "host", json_string(e->host));
    if (e->secret)
        json_object_set_new(o, "secret", json_true());
    return o;
}

static json_t *units_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->enabled_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", plan->enabled[i].name,
                                              "wantedBy", plan->enabled[i].wanted_by));
    return list;
}

/* A path; a list where a source has several. */
static void add_path(json_t *from, const struct fact_path *path)
{
    json_t *there = json_object_get(from, path->source), *text = json_string(path->path);
    if (!there)
        json_object_set_new(from, path->source, text);
    else if (json_is_array(there))
        json_array_append_new(there, text);
    else
        json_object_set_new(from, path->source, json_pack("[O, o]", there, text));
}

static json_t *fact_json(const struct plan_input *in, const struct node_fact *fact)
{
    json_t *from = json_object();
    for (size_t i = 0; i < fact->path_count; i++)
        if (node_fact_asks(in, &fact->paths[i]))
            add_path(from, &fact->paths[i]);
    return json_pack("{s:s, s:s, s:o}", "name", fact->name, "type", value_type_name(fact->type),
                     "from", from);
}

static json_t *facts_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < node_fact_count(&plan->in); i++)
        if (plan_wants_fact(plan, i))
            json_array_append_new(list, fact_json(&plan->in, node_fact_at(&plan->in, i)));
    return list;
}

static void add_texts(json_t *list, const struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, json_string(texts->items[i]));
}

static json_t *packages_json(const struct plan_input *in)
{
    const struct texts *own = &in->cluster->settings.packages;
    json_t *list = json_array();
    add_texts(list, &in->role->packages);
    for (size_t i = 0; i < own->count; i++)
        if (!texts_have(&in->role->packages, own->items[i]))
            json_array_append_new(list, json_string(own->items[i]));
    return list;
}

static json_t *remarks_json(const struct plan *plan)
{
    json_t *list = json_array();
    add_texts(list, &plan->remarks);
    return list;
}

static json_t *absent_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->absent_count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:b, s:s}", "name", plan->absent[i].name,
                                        "path", plan->absent[i].path, "required",
                                        !plan->absent[i].optional, "why", plan->absent[i].why));
    return list;
}

static json_t *plan_json(const struct plan *plan)
{
    const struct plan_input *in = &plan->in;
    json_t *entries = json_array();
    for (size_t i = 0; i < plan->tree->count; i++)
        json_array_append_new(entries, entry_json(&plan->tree->entries[i]));
    return json_pack(
        "{s:s, s:s, s:s?, s:s?, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}",
        "name", plan->name, "role", in->role->name, "node", in->node ? in->node->name : NULL,
        "base", in->base ? in->base->os_name : NULL, "cluster", in->cluster->name, "profile",
        in->profile->name, "kubernetes", in->cluster->kubernetes, "untested",
        !profile_tested(in->profile, cluster_minor(in->cluster)), "memory",
        (json_int_t)in->role->memory, "disk", (json_int_t)in->role->disk, "bytes",
        (json_int_t)plan->bytes, "entries", entries, "units", units_json(plan), "facts",
        facts_json(plan), "packages", packages_json(in), "absent", absent_json(plan), "remarks",
        remarks_json(plan));
}

int plan_print_json(struct plan *const *plans, size_t n, FILE *out, struct error *err)
{
    json_t *images = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(images, plan_json(plans[i]));
    json_t *top = json_pack("{s:i, s:o}", "version", 1, "images", images);
    int result = json_dumpf(top, out, JSON_INDENT(2));
    json_decref(top);
    if (result < 0 || fputc('\n', out) == EOF)
        return error_errno(err, "write the plan");
    return 0;
}
