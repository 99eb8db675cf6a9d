/* The units of cluster.yaml, and the list of those that firstboot enables. */

#include <stdio.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/base-units.h"
#include "builder/plan/part.h"

#define UNITS_OWN "/etc/systemd/system"

/* Where a unit's file is looked for in the tree, the most important folder first. */
static const char *const folders[] = {UNITS_OWN, "/usr/local/lib/systemd/system",
                                      "/usr/lib/systemd/system", "/lib/systemd/system"};

static int refuse(const struct plan *plan, const struct own_unit *unit, const char *why,
                  struct error *err)
{
    return error_set(err, "%s:%u: %s %s", plan->in.cluster->file, unit->line, unit->name, why);
}

/* The path of a unit's file that the image gets, or will have after firstboot; or NULL. The caller
 * frees it. */
static char *path_in_tree(const struct plan *plan, const char *file)
{
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        char *path AUTO_FREE = heap_printf("%s/%s", folders[i], file);
        char *template AUTO_FREE = heap_printf(PATH_TEMPLATES "%s", path);
        const struct entry *entry = tree_find(plan->tree, path);
        if ((entry && entry->type != ENTRY_GONE) || tree_find(plan->tree, template))
            return heap_copy(path);
    }
    return NULL;
}

/* The path of the file of a unit in the image; NULL when there is none. The caller frees it. */
static char *path_of(const struct plan *plan, const char *name)
{
    char *file AUTO_FREE = unit_template(name);
    char *path = path_in_tree(plan, name);
    if (!path && file)
        path = path_in_tree(plan, file);
    if (!path && plan->in.base)
        path = heap_copy(base_unit(plan->in.base, name));
    return path;
}

/* Where it lies when nobody knows better. */
static char *path_guessed(const char *name)
{
    char *file AUTO_FREE = unit_template(name);
    return heap_printf("/lib/systemd/system/%s", file ? file : name);
}

static void enable(struct plan *plan, const char *name, const char *wanted_by)
{
    char *path = path_of(plan, name);
    *APPEND(plan->enabled, plan->enabled_count, plan->enabled_cap) = (struct enabled_unit){
        heap_copy(name), heap_copy(wanted_by), path ? path : path_guessed(name)};
}

/* One that a package brought is on already, and has to wait for firstboot as the others do. */
static int add_roles(struct plan *plan, const struct unit *unit, struct error *err)
{
    enable(plan, unit->name, unit->wanted_by);
    if (!plan->in.base)
        return 0;
    char *source AUTO_FREE = heap_printf("profile %s", plan->in.profile->name);
    return part_unit_off(plan, unit->name, source, err);
}

/* The base may have done it already. */
static bool is_enabled(const struct plan *plan, const struct own_unit *unit)
{
    char *link AUTO_FREE = heap_printf(UNITS_OWN "/%s.wants/%s", unit->wanted_by, unit->name);
    for (size_t i = 0; i < plan->enabled_count; i++)
        if (strcmp(plan->enabled[i].name, unit->name) == 0 &&
            strcmp(plan->enabled[i].wanted_by, unit->wanted_by) == 0)
            return true;
    return plan->in.base && base_link(plan->in.base, link) &&
           !base_unit_masked(plan->in.base, unit->name);
}

static int add_enabled(struct plan *plan, const struct own_unit *unit, struct error *err)
{
    char *mask AUTO_FREE = heap_printf(UNITS_OWN "/%s", unit->name);
    char *path AUTO_FREE = path_of(plan, unit->name);
    if (!path && plan->in.base)
        return refuse(plan, unit,
                      "cannot be enabled: neither the base nor `files` and `overlays` "
                      "have such a unit",
                      err);
    if (plan->in.base && base_unit_masked(plan->in.base, unit->name) &&
        !tree_find(plan->tree, mask) && part_gone(plan, mask, "cluster.yaml: units", err) < 0)
        return -1;
    if (!is_enabled(plan, unit))
        enable(plan, unit->name, unit->wanted_by);
    return 0;
}

static bool is_roles(const struct plan *plan, const struct own_unit *unit)
{
    for (size_t i = 0; i < plan->in.role->unit_count; i++)
        if (strcmp(plan->in.role->units[i].name, unit->name) == 0)
            return true;
    return false;
}

static int add_disabled(struct plan *plan, const struct own_unit *unit, struct error *err)
{
    const struct base *base = plan->in.base;
    char *path AUTO_FREE = path_of(plan, unit->name);
    if (is_roles(plan, unit))
        return refuse(plan, unit, "cannot be disabled: the node needs it", err);
    if (!path && base)
        return refuse(plan, unit, "cannot be disabled: there is no such unit", err);
    return base ? part_unit_off(plan, unit->name, "cluster.yaml: units", err) : 0;
}

static int add_masked(struct plan *plan, const struct own_unit *unit, struct error *err)
{
    char *path AUTO_FREE = heap_printf(UNITS_OWN "/%s", unit->name);
    const struct entry *other = tree_find(plan->tree, path);
    if (is_roles(plan, unit))
        return refuse(plan, unit, "cannot be masked: the node needs it", err);
    char *why AUTO_FREE =
        other ? heap_printf("cannot be masked: %s comes from %s", path, other->source) : NULL;
    if (other && (other->type != ENTRY_LINK || strcmp(other->target, "/dev/null") != 0))
        return refuse(plan, unit, why, err);
    return other ? 0 : part_link(plan, path, "/dev/null", "cluster.yaml: units", err);
}

/* On a first boot systemd would enable again what has an [Install] section. */
static int add_preset(struct plan *plan, struct error *err)
{
    const struct settings *s = &plan->in.cluster->settings;
    struct buffer text AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < s->unit_count; i++) {
        char *file AUTO_FREE = unit_template(s->units[i].name);
        if (s->units[i].state == OWN_UNIT_DISABLED)
            buffer_printf(&text, "disable %s\n", file ? file : s->units[i].name);
    }
    return text.len ? part_text(plan, PATH_PRESET_UNITS, 0644, &text, "cluster.yaml: units", err)
                    : 0;
}

int part_units(struct plan *plan, struct error *err)
{
    static int (*const add[])(struct plan *, const struct own_unit *, struct error *) = {
        [OWN_UNIT_ENABLED] = add_enabled,
        [OWN_UNIT_DISABLED] = add_disabled,
        [OWN_UNIT_MASKED] = add_masked,
    };
    const struct settings *s = &plan->in.cluster->settings;
    for (size_t i = 0; i < plan->in.role->unit_count; i++)
        if (add_roles(plan, &plan->in.role->units[i], err) < 0)
            return -1;
    for (size_t i = 0; i < s->unit_count; i++)
        if (add[s->units[i].state](plan, &s->units[i], err) < 0)
            return -1;
    return add_preset(plan, err);
}
