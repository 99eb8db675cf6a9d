#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/inspect/contract-read.h"
#include "builder/inspect/gather.h"
#include "builder/plan/plan.h"
#include "common/contract.h"

#define UNIT_LINKS "/etc/systemd/system"

enum { ABOUT_MAX = 1 << 20, STAMP_MAX = 65536, COMPONENTS_MAX = 256 };

static void json_free_at(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_free_at)))

/* A text, cleaned, or NULL. */
static char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? report_text(text, strlen(text)) : NULL;
}

static void add_component(struct report *r, const json_t *object)
{
    const json_t *paths = json_object_get(object, "paths");
    struct component *c = APPEND(r->components, r->component_count, r->component_cap);
    *c = (struct component){.name = text_of(object, "name"),
                            .version = text_of(object, "version"),
                            .file = text_of(object, "file"),
                            .digest = text_of(object, "digest")};
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const char *path = json_string_value(json_array_get(paths, i));
        if (path)
            list_add(&c->paths, path);
    }
}

int gather_about(struct inspection *in, struct error *err)
{
    struct report *r = in->report;
    struct buffer text AUTO_BUFFER = buffer_heap();
    int found = inspect_read(in, PATH_ABOUT, ABOUT_MAX, &text, err);
    if (found <= 0)
        return found;
    json_t *about AUTO_JSON = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(about))
        return error_set(err, "it is damaged");
    r->nodebake = text_of(about, "nodebake");
    r->cluster = text_of(about, "cluster");
    r->role = text_of(about, "role");
    r->node = text_of(about, "node");
    r->profile = text_of(about, "profile");
    r->kubernetes = text_of(about, "kubernetes");
    r->base = text_of(about, "base");
    const json_t *components = json_object_get(about, "components");
    for (size_t i = 0; i < json_array_size(components) && i < COMPONENTS_MAX; i++)
        add_component(r, json_array_get(components, i));
    return 0;
}

/* Of a machine whose first boot failed or was cut. */
static int read_unfinished(struct inspection *in, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    int found = inspect_read(in, PATH_STATE "/stamp-before", STAMP_MAX, &text, err);
    if (found <= 0)
        return found;
    struct stamp_report before = {0};
    stamp_read(text.data, text.len, &before);
    if (before.there)
        report_remark(
            in->report,
            "firstboot did not finish here, as %s (%s, %s): the next machine forgets what "
            "this one made",
            strcmp(before.node, "-") == 0 ? "no node yet" : before.node, before.source,
            before.identity);
    free(before.source);
    free(before.identity);
    free(before.node);
    return 0;
}

static int read_stamp(struct inspection *in, struct error *err)
{
    struct report *r = in->report;
    struct buffer text AUTO_BUFFER = buffer_heap();
    int found = inspect_read(in, PATH_STATE "/stamp", STAMP_MAX, &text, err);
    if (found < 0)
        return -1;
    if (found > 0)
        stamp_read(text.data, text.len, &r->stamp);
    if (found > 0 && !r->stamp.there)
        report_remark(r, "%s is damaged: firstboot takes it for none", PATH_STATE "/stamp");
    return r->stamp.there ? 0 : read_unfinished(in, err);
}

static void fill(char **to, const char *from)
{
    if (!*to)
        *to = heap_copy(from);
}

int gather_contract(struct inspection *in, struct error *err)
{
    struct report *r = in->report;
    struct buffer text AUTO_BUFFER = buffer_heap();
    int found = inspect_read(in, PATH_CONTRACT, CONTRACT_BYTES_MAX, &text, err);
    if (found < 0)
        return -1;
    r->contract.there = found > 0;
    if (found > 0)
        contract_read(text.data, text.len, &r->contract);
    if (found > 0 && r->contract.version != CONTRACT_VERSION)
        report_problem(r, "contract", PATH_CONTRACT, "is not a contract of version %d",
                       CONTRACT_VERSION);
    /* Older images say it there only. */
    fill(&r->cluster, r->contract.cluster);
    fill(&r->role, r->contract.role);
    fill(&r->node, r->contract.node);
    return read_stamp(in, err);
}

/* The path with the node's name in it, as far as that is known; the caller frees it. */
static char *with_node(const struct report *r, const char *path)
{
    static const char fact[] = "@" CONTRACT_NODE_FACT "@";
    const char *node = r->stamp.node ? r->stamp.node : r->node, *at = strstr(path, fact);
    if (!node || !at)
        return heap_copy(path);
    char *rest AUTO_FREE = with_node(r, at + strlen(fact));
    return heap_printf("%.*s%s%s", (int)(at - path), path, node, rest);
}

/* Their names and places become those of the node. */
static void find_files(const struct inspection *in, struct file_line *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *dest = with_node(in->report, lines[i].dest);
        char *file = lines[i].file ? with_node(in->report, lines[i].file) : NULL;
        free(lines[i].dest);
        free(lines[i].file);
        lines[i] =
            (struct file_line){.file = file, .dest = dest, .there = inspect_exists(in, dest)};
    }
}

/* Is the unit's file there, or among what firstboot has still to render? */
static bool has_unit(const struct inspection *in, const char *path)
{
    char *template AUTO_FREE = heap_printf(PATH_TEMPLATES "%s", path);
    return inspect_exists(in, path) || (!in->report->stamp.there && inspect_exists(in, template));
}

static void find_unit(const struct inspection *in, struct unit_line *unit)
{
    char *link AUTO_FREE = heap_printf(UNIT_LINKS "/%s.wants/%s", unit->target, unit->name);
    bool enabled = inspect_exists(in, link), there = has_unit(in, unit->path);
    unit->state = !there ? UNIT_ABSENT : enabled ? UNIT_ENABLED : UNIT_WAITING;
    if (!there && !manifest_find(&in->manifest, unit->path))
        report_problem(in->report, "unit", unit->path, "is missing, and firstboot enables it");
}

int gather_units(struct inspection *in, struct error *err)
{
    struct contract_report *c = &in->report->contract;
    size_t enabled = 0;
    (void)err;
    in->report->preset = inspect_exists(in, PATH_PRESET_ON)    ? "enables"
                         : inspect_exists(in, PATH_PRESET_OFF) ? "disables"
                                                               : NULL;
    find_files(in, c->identities, c->identity_count);
    find_files(in, c->templates, c->template_count);
    for (size_t i = 0; i < c->unit_count; i++) {
        find_unit(in, &c->units[i]);
        enabled += c->units[i].state == UNIT_ENABLED;
    }
    if (enabled && !in->report->stamp.there)
        report_remark(in->report, "%zu of %zu units are enabled, and firstboot has not finished",
                      enabled, c->unit_count);
    return 0;
}
