#include "builder/plan/plan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/image/base-units.h"
#include "builder/plan/about.h"
#include "builder/plan/choices.h"
#include "builder/plan/contract.h"
#include "builder/plan/facts.h"
#include "builder/plan/flags.h"
#include "builder/plan/node-facts.h"
#include "builder/plan/overlay.h"
#include "builder/plan/own.h"
#include "builder/plan/part.h"
#include "builder/plan/units.h"
#include "common/contract.h"
#include "common/file.h"

/* The templates found so far. */
struct templates {
    struct contract_template *items;
    size_t count, cap;
};

/* The entry of an overlay's file, at another path where one is given, without content. */
static struct entry entry_of(const struct overlay_file *file, const char *path)
{
    return (struct entry){
        .path = heap_copy(path ? path : file->path),
        .type = file->link ? ENTRY_LINK : ENTRY_FILE,
        .mode = file->mode,
        .uid = file->uid,
        .gid = file->gid,
        .target = heap_copy(file->link),
        .source = file->name ? heap_printf("overlay %s", file->name) : heap_copy(file->place),
        .secret = !file->link && (file->mode & 077) == 0,
    };
}

static int fit_flags(struct plan *plan, const struct overlay_file *file, struct buffer *text,
                     struct error *err)
{
    const struct cluster *c = plan->in.cluster;
    const struct flags_unit unit = {file->host ? file->host : file->place, file->place != NULL,
                                    cluster_minor(c), c->file, &c->settings};
    return flags_are_in(file->path) ? flags_fit(&unit, text, &plan->remarks, err) : 0;
}

/* Renders one overlay file: a finished file, or a template for firstboot. */
static int add_overlay_text(struct plan *plan, const struct overlay_file *file,
                            const struct buffer *raw, struct facts *facts,
                            struct templates *templates, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap(), whole AUTO_BUFFER = buffer_heap();
    unsigned later = 0;
    buffer_puts(&whole, "");
    facts_expand(facts, raw, &whole);
    if (template_render(&text, whole.data, whole.len, facts_lookup, facts, &later, err) < 0)
        return error_context(err, "%s", file->host ? file->host : file->place);
    if (fit_flags(plan, file, &text, err) < 0)
        return -1;
    if (!later)
        return part_content(plan, entry_of(file, NULL), &text, err);
    if (text.len > OVERLAY_FILE_MAX)
        return error_set(err, "%s: more than %d KiB, and it holds facts of the machine",
                         file->host ? file->host : file->place, OVERLAY_FILE_MAX / 1024);
    char *path AUTO_FREE = heap_printf(PATH_TEMPLATES "%s", file->path);
    *APPEND(templates->items, templates->count, templates->cap) =
        (struct contract_template){file->path, file->mode, file->uid, file->gid};
    struct entry entry = entry_of(file, path);
    entry.mode = entry.secret ? 0600 : 0644;
    entry.uid = entry.gid = 0;
    return part_content(plan, entry, &text, err);
}

/* What is large, or no text, goes in as it is, and is not read before it is written. */
static int add_overlay_host(struct plan *plan, const struct overlay_file *file, uint64_t size,
                            struct error *err)
{
    struct entry entry = entry_of(file, NULL);
    plan->bytes += size;
    entry.host = heap_copy(file->host);
    return tree_add(plan->tree, entry, err);
}

static int add_overlay_file(struct plan *plan, const struct overlay_file *file, struct facts *facts,
                            struct templates *templates, struct error *err)
{
    struct stat st;
    struct buffer raw AUTO_BUFFER = buffer_heap();
    if (file->place && own_check(plan, file, err) < 0)
        return -1;
    if (file->link)
        return tree_add(plan->tree, entry_of(file, NULL), err);
    if (file->text) {
        buffer_puts(&raw, file->text);
        return add_overlay_text(plan, file, &raw, facts, templates, err);
    }
    if (stat(file->host, &st) < 0)
        return error_errno(err, "%s", file->host);
    if (S_ISREG(st.st_mode) && st.st_size > OVERLAY_FILE_MAX)
        return add_overlay_host(plan, file, (uint64_t)st.st_size, err);
    if (file_read(AT_FDCWD, file->host, OVERLAY_FILE_MAX, &raw, err) < 0)
        return -1;
    if (raw.len && memchr(raw.data, '\0', raw.len)) /* not a text */
        return add_overlay_host(plan, file, raw.len, err);
    return add_overlay_text(plan, file, &raw, facts, templates, err);
}

static int compare_templates(const void *a, const void *b)
{
    const struct contract_template *x = a, *y = b;
    return strcmp(x->path, y->path);
}

static int add_overlays(struct plan *plan, const struct overlay_list *overlays,
                        struct templates *templates, struct error *err)
{
    struct facts *facts AUTO_FACTS = facts_create(&plan->in, plan->facts_used);
    for (size_t i = 0; i < overlays->count; i++)
        if (add_overlay_file(plan, &overlays->files[i], facts, templates, err) < 0)
            return -1;
    for (size_t i = 0; i < plan->template_count; i++) {
        const struct plan_template *t = &plan->templates[i];
        *APPEND(templates->items, templates->count, templates->cap) =
            (struct contract_template){t->path, t->mode, t->uid, t->gid};
    }
    if (templates->count)
        qsort(templates->items, templates->count, sizeof *templates->items, compare_templates);
    return 0;
}

static int add_directories(struct plan *plan, struct error *err)
{
    const struct role *role = plan->in.role;
    char *source AUTO_FREE = heap_printf("profile %s", plan->in.profile->name);
    for (size_t i = 0; i < role->directory_count; i++)
        if (part_dir(plan, role->directories[i].path, role->directories[i].mode, source, err) < 0)
            return -1;
    if (part_dir(plan, PATH_HOME, 0755, "nodebake", err) < 0 ||
        part_dir(plan, PATH_TEMPLATES, 0700, "nodebake", err) < 0 ||
        part_dir(plan, PATH_IDENTITY, 0700, "nodebake", err) < 0)
        return -1;
    return part_dir(plan, PATH_STATE, 0700, "nodebake", err);
}

static void note_absent(struct plan *plan, const struct binary *binary, char *why)
{
    *APPEND(plan->absent, plan->absent_count, plan->absent_cap) =
        (struct absent){binary->name, binary->path, binary->optional, why};
}

static int add_binary(struct plan *plan, const struct binary *binary, struct error *err)
{
    const struct release *release = plan->in.release;
    const struct artifact *artifact = NULL;
    const struct member *member = release_member(release, binary->name, &artifact);
    if (part_cni_replaces(&plan->in, binary->path))
        return 0;
    if (!member || !artifact->present) {
        note_absent(
            plan, binary,
            member ? heap_printf("%s is not in %s", artifact->file, plan->in.cluster->artifacts)
                   : heap_printf("%s lists no artifact for it", release->file));
        return 0;
    }
    plan->bytes += member->size;
    char *source AUTO_FREE =
        heap_printf("%s %s (%s)", artifact->component, artifact->version, artifact->file);
    return part_host(plan, binary->path, member->mode, member->host, false, source, err);
}

static int add_binaries(struct plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->in.role->binary_count; i++)
        if (add_binary(plan, &plan->in.role->binaries[i], err) < 0)
            return -1;
    return 0;
}

static int add_pki(struct plan *plan, struct error *err)
{
    const struct role *role = plan->in.role;
    for (size_t i = 0; i < role->pki_count; i++) {
        const struct pki_file *file = &role->pki[i];
        char *host AUTO_FREE = heap_printf("%s/%s", plan->in.pki, file->file);
        char *source AUTO_FREE = heap_printf("pki/%s", file->file);
        if (part_host(plan, file->path, file->mode, host, (file->mode & 077) == 0, source, err) < 0)
            return -1;
    }
    return 0;
}

static enum template_answer lookup_node_name(void *ctx, const char *name, const char **value)
{
    const struct node *node = ctx;
    *value = node->name;
    return strcmp(name, "NODE_NAME") == 0 ? TEMPLATE_VALUE : TEMPLATE_UNKNOWN;
}

/* The node's own files go below PATH_IDENTITY, unless its metadata has them; firstboot installs
 * them where the contract says. */
static int add_identity_file(struct plan *plan, const struct pki_file *file, struct error *err)
{
    struct node *node = (struct node *)plan->in.node;
    struct buffer name AUTO_BUFFER = buffer_heap();
    if (template_render(&name, file->file, strlen(file->file), lookup_node_name, node, NULL, err) <
        0)
        return error_context(err, "%s: identity file '%s'", plan->in.profile->file, file->file);
    char *host AUTO_FREE = heap_printf("%s/%s", plan->in.pki, name.data);
    char *path AUTO_FREE = heap_printf(PATH_IDENTITY "/%s", name.data);
    char *source AUTO_FREE = heap_printf("pki/%s", name.data);
    return part_host(plan, path, file->mode, host, (file->mode & 077) == 0, source, err);
}

static int add_identity(struct plan *plan, struct error *err)
{
    size_t n = plan->in.cluster->identity == IDENTITY_METADATA ? 0 : plan->in.role->identity_count;
    for (size_t i = 0; plan->in.node && i < n; i++)
        if (add_identity_file(plan, &plan->in.role->identity[i], err) < 0)
            return -1;
    return 0;
}

/* The image ships the preset that keeps the units down; its counterpart in /etc hides it once
 * firstboot has put it there, as the last of the templates. */
static int add_presets(struct plan *plan, struct templates *templates, struct error *err)
{
    struct buffer off AUTO_BUFFER = buffer_heap(), on AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < plan->enabled_count; i++) {
        const char *name = plan->enabled[i].name, *at = strchr(name, '@');
        char *file AUTO_FREE = unit_template(name); /* an instance stands behind its template */
        buffer_printf(&off, "disable %s\n", file ? file : name);
        if (file)
            buffer_printf(&on, "enable %s %.*s\n", file, (int)(strrchr(name, '.') - at - 1),
                          at + 1);
        else
            buffer_printf(&on, "enable %s\n", name);
    }
    *APPEND(templates->items, templates->count, templates->cap) =
        (struct contract_template){.path = PATH_PRESET_ON, .mode = 0644};
    if (part_text(plan, PATH_PRESET_OFF, 0644, &off, "nodebake", err) < 0)
        return -1;
    return part_text(plan, PATH_TEMPLATES PATH_PRESET_ON, 0644, &on, "nodebake", err);
}

static int add_program(struct plan *plan, struct error *err)
{
    static const struct {
        const char *hook, *path;
    } hooks[] = {
        {"initramfs-tools/hook", "/etc/initramfs-tools/hooks/nodebake"},
        {"initramfs-tools/local-bottom", "/etc/initramfs-tools/scripts/local-bottom/nodebake"},
    };
    for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
        char *host AUTO_FREE = heap_printf("%s/%s", plan->in.hook, hooks[i].hook);
        if (part_host(plan, hooks[i].path, 0755, host, false, "nodebake", err) < 0)
            return -1;
    }
    return part_host(plan, PATH_HOME "/firstboot", 0755, plan->in.firstboot, false, "nodebake",
                     err);
}

static int add_contract(struct plan *plan, const struct templates *templates, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (contract_write(plan, templates->items, templates->count, &text, err) < 0)
        return -1;
    return part_text(plan, PATH_CONTRACT, 0644, &text, "nodebake", err);
}

static int add_about(struct plan *plan, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (about_write(plan, &text, err) < 0)
        return -1;
    return part_text(plan, PATH_ABOUT, 0644, &text, "nodebake", err);
}

static int lay_out(struct plan *plan, struct overlay_list *overlays, struct templates *templates,
                   struct error *err)
{
    if (choices_add(&plan->in, overlays, err) < 0)
        return -1;
    if (add_directories(plan, err) < 0 || add_binaries(plan, err) < 0 || add_pki(plan, err) < 0 ||
        add_identity(plan, err) < 0 || add_program(plan, err) < 0 || part_add_all(plan, err) < 0 ||
        add_overlays(plan, overlays, templates, err) < 0 || part_add_late(plan, err) < 0 ||
        units_add(plan, err) < 0 || add_presets(plan, templates, err) < 0 ||
        add_contract(plan, templates, err) < 0)
        return -1;
    tree_sort(plan->tree);
    if (add_about(plan, err) < 0)
        return -1;
    tree_sort(plan->tree);
    return 0;
}

int plan_make(const struct plan_input *in, struct plan **out, struct error *err)
{
    struct plan *plan AUTO_PLAN = heap_array(1, sizeof *plan);
    struct overlay_list overlays AUTO_OVERLAYS = {0};
    struct templates templates = {0};
    plan->in = *in;
    plan->name = in->node ? in->node->name : in->role->name;
    plan->facts_used = heap_array(node_fact_count(in), sizeof *plan->facts_used);
    if (plan_check_input(in, err) < 0 || tree_create(&plan->tree, err) < 0)
        return -1;
    int result = lay_out(plan, &overlays, &templates, err);
    free(templates.items); /* their paths are the overlays' */
    if (result < 0)
        return error_context(err, "plan %s", plan->name);
    *out = steal(plan);
    return 0;
}

bool plan_wants_fact(const struct plan *plan, size_t i)
{
    const struct node_fact *fact = node_fact_at(&plan->in, i);
    return plan->facts_used[i] || strcmp(fact->name, CONTRACT_NODE_FACT) == 0 ||
           (fact->type == VALUE_BUNDLE && plan->in.role->identity_count > 0);
}

/* Names the required files that are absent for the same reason as the i-th. */
static void add_absent(const struct plan *plan, size_t i, struct buffer *list)
{
    const char *why = plan->absent[i].why;
    for (size_t j = 0; j < i; j++)
        if (!plan->absent[j].optional && strcmp(plan->absent[j].why, why) == 0)
            return; /* named with that one */
    buffer_puts(list, list->len ? "; " : "");
    for (size_t j = i; j < plan->absent_count; j++)
        if (!plan->absent[j].optional && strcmp(plan->absent[j].why, why) == 0)
            buffer_printf(list, "%s%s", j > i ? ", " : "", plan->absent[j].name);
    buffer_printf(list, " (%s)", why);
}

int plan_require(const struct plan *plan, struct error *err)
{
    struct buffer list AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < plan->absent_count; i++)
        if (!plan->absent[i].optional)
            add_absent(plan, i, &list);
    if (!list.len)
        return 0;
    return error_set(err, "%s needs files that are absent: %s", plan->name, list.data);
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->absent_count; i++)
        free(plan->absent[i].why);
    free(plan->absent);
    for (size_t i = 0; i < plan->enabled_count; i++) {
        free(plan->enabled[i].name);
        free(plan->enabled[i].wanted_by);
        free(plan->enabled[i].path);
    }
    free(plan->enabled);
    for (size_t i = 0; i < plan->always_count; i++) {
        free(plan->always[i].name);
        free(plan->always[i].target);
    }
    free(plan->always);
    texts_free(&plan->remarks);
    for (size_t i = 0; i < plan->template_count; i++)
        free(plan->templates[i].path);
    free(plan->templates);
    free(plan->facts_used);
    tree_free(plan->tree);
    free(plan);
}

void plan_free_at(struct plan **plan)
{
    plan_free(*plan);
}
