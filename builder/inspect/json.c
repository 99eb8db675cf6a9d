/* The report as JSON. Fields are only ever added; docs/inspect.md lists them. */
#include <jansson.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/inspect/inspect.h"

enum { DATE_MAX = 32 };

static void json_free_at(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_free_at)))

static json_t *list_json(const struct list *list)
{
    json_t *out = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(out, json_string(list->items[i]));
    return out;
}

static json_t *image_json(const struct report *r)
{
    return json_pack("{s:s, s:s, s:I, s:o, s:s?}", "path", r->path, "format",
                     r->qcow2 ? "qcow2" : "raw", "size", (json_int_t)r->size, "below",
                     list_json(&r->below), "writer", r->writer);
}

static json_t *kernels_json(const struct report *r)
{
    static const char *const states[] = {
        [FIRSTBOOT_UNKNOWN] = NULL,      [FIRSTBOOT_ABSENT] = "absent", [FIRSTBOOT_SAME] = "same",
        [FIRSTBOOT_PRESENT] = "present", [FIRSTBOOT_OTHER] = "other",
    };
    json_t *out = json_array();
    for (size_t i = 0; i < r->kernel_count; i++) {
        const struct kernel *k = &r->kernels[i];
        json_array_append_new(out, json_pack("{s:s, s:s?, s:s?}", "version", k->version, "initrd",
                                             k->initrd, "firstboot", states[k->firstboot]));
    }
    return out;
}

static json_t *entries_json(const struct report *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->entry_count; i++) {
        const struct boot_entry *e = &r->entries[i];
        json_array_append_new(out, json_pack("{s:s, s:s, s:s}", "title", e->title, "kernel",
                                             e->kernel, "arguments", e->arguments));
    }
    return out;
}

static json_t *system_json(const struct report *r)
{
    return json_pack("{s:s?, s:s?, s:s?, s:s?, s:o, s:o}", "name", r->os_name, "id", r->os_id,
                     "version", r->os_version, "architecture", r->architecture, "kernels",
                     kernels_json(r), "bootEntries", entries_json(r));
}

static json_t *components_json(const struct report *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->component_count; i++) {
        const struct component *c = &r->components[i];
        json_array_append_new(out, json_pack("{s:s?, s:s?, s:s?, s:s?, s:o}", "name", c->name,
                                             "version", c->version, "file", c->file, "digest",
                                             c->digest, "paths", list_json(&c->paths)));
    }
    return out;
}

static json_t *date_json(time_t when)
{
    char text[DATE_MAX];
    struct tm tm;
    if (!gmtime_r(&when, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return json_null();
    return json_string(text);
}

static json_t *certificates_json(const struct report *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->certificate_count; i++) {
        const struct certificate *c = &r->certificates[i];
        json_array_append_new(out, json_pack("{s:s, s:s?, s:s, s:s, s:b, s:o, s:o, s:I}", "path",
                                             c->path, "key", c->what, "subject", c->subject,
                                             "issuer", c->issuer, "ca", c->ca, "notBefore",
                                             date_json(c->begins), "notAfter", date_json(c->ends),
                                             "daysLeft", (json_int_t)c->days_left));
    }
    return out;
}

static json_t *credentials_json(const struct report *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->credential_count; i++) {
        const struct credential *c = &r->credentials[i];
        char *mode AUTO_FREE = heap_printf("%04o", (unsigned)c->mode);
        json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:I, s:I}", "path", c->path, "kind",
                                             c->kind, "mode", mode, "uid", (json_int_t)c->uid,
                                             "gid", (json_int_t)c->gid));
    }
    return out;
}

static json_t *sources_json(const struct contract_report *c)
{
    json_t *out = json_array();
    for (size_t i = 0; i < c->source_count; i++)
        json_array_append_new(out, json_pack("{s:s, s:s}", "name", c->sources[i].name, "identity",
                                             c->sources[i].identity));
    return out;
}

static json_t *facts_json(const struct contract_report *c)
{
    json_t *out = json_array();
    for (size_t i = 0; i < c->fact_count; i++)
        json_array_append_new(out,
                              json_pack("{s:s, s:s, s:o}", "name", c->facts[i].name, "type",
                                        c->facts[i].type, "from", list_json(&c->facts[i].from)));
    return out;
}

static json_t *files_json(const struct file_line *lines, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *file = json_pack("{s:s, s:b}", "path", lines[i].dest, "there", lines[i].there);
        if (lines[i].file)
            json_object_set_new(file, "file", json_string(lines[i].file));
        json_array_append_new(out, file);
    }
    return out;
}

static json_t *units_json(const struct contract_report *c)
{
    static const char *const states[] = {
        [UNIT_WAITING] = "waiting", [UNIT_ENABLED] = "enabled", [UNIT_ABSENT] = "absent"};
    json_t *out = json_array();
    for (size_t i = 0; i < c->unit_count; i++) {
        const struct unit_line *u = &c->units[i];
        json_array_append_new(out,
                              json_pack("{s:s, s:s, s:s, s:s}", "name", u->name, "wantedBy",
                                        u->target, "path", u->path, "state", states[u->state]));
    }
    return out;
}

static json_t *contract_json(const struct contract_report *c)
{
    if (!c->there)
        return json_null();
    return json_pack("{s:I, s:I, s:s?, s:o, s:o, s:o, s:o, s:o}", "version", (json_int_t)c->version,
                     "deadline", (json_int_t)c->deadline, "user", c->user, "sources",
                     sources_json(c), "facts", facts_json(c), "identity",
                     files_json(c->identities, c->identity_count), "templates",
                     files_json(c->templates, c->template_count), "units", units_json(c));
}

static json_t *stamp_json(const struct stamp_report *s)
{
    if (!s->there)
        return json_null();
    return json_pack("{s:s, s:s, s:s}", "source", s->source, "identity", s->identity, "node",
                     s->node);
}

static json_t *node_json(const struct report *r)
{
    if (!r->baked)
        return json_null();
    return json_pack(
        "{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:o, s:o, s:o, s:s?, "
        "s:{s:I, s:I, s:I, "
        "s:o}}",
        "build", r->build, "nodebake", r->nodebake, "cluster", r->cluster, "role", r->role, "node",
        r->node, "profile", r->profile, "kubernetes", r->kubernetes, "base", r->base, "components",
        components_json(r), "certificates", certificates_json(r), "credentials",
        credentials_json(r), "contract", contract_json(&r->contract), "booted",
        stamp_json(&r->stamp), "preset", r->preset, "files", "listed", (json_int_t)r->file_count,
        "same", (json_int_t)r->same_count, "bytes", (json_int_t)r->file_bytes, "writtenByBoot",
        list_json(&r->booted_paths));
}

static json_t *hygiene_json(const struct report *r)
{
    json_t *out = json_object();
    for (size_t i = 0; i < r->trace_count; i++) {
        const struct trace *t = &r->traces[i];
        json_object_set_new(out, t->name,
                            t->state ? json_string(t->state)
                                     : json_pack("{s:I, s:I, s:o}", "count", (json_int_t)t->count,
                                                 "bytes", (json_int_t)t->bytes, "examples",
                                                 list_json(&t->examples)));
    }
    return out;
}

static json_t *problems_json(const struct report *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->problem_count; i++) {
        const struct finding *p = &r->problems[i];
        json_array_append_new(
            out, json_pack("{s:s, s:s, s:s}", "kind", p->kind, "path", p->path, "text", p->text));
    }
    return out;
}

int report_print_json(const struct report *r, FILE *out, struct error *err)
{
    json_t *top AUTO_JSON = json_pack(
        "{s:i, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "version", 1, "ok", r->problem_count == 0,
        "image", image_json(r), "system", system_json(r), "nodebake", node_json(r), "hygiene",
        hygiene_json(r), "remarks", list_json(&r->remarks), "problems", problems_json(r));
    if (!top || json_dumpf(top, out, JSON_INDENT(2)) < 0 || fputc('\n', out) == EOF)
        return error_errno(err, "write the report");
    return 0;
}
