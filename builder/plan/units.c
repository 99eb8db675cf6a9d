#include "builder/plan/units.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/plan/part.h"

#define UNITS_OURS "/etc/systemd/system"
#define UNITS_BASE "/usr/lib/systemd/system"

/* Of name@instance.type, the end of "name@"; else NULL. */
static const char *instance_of(const char *unit)
{
    const char *at = strchr(unit, '@');
    return at && strrchr(at, '.') > at + 1 ? at + 1 : NULL;
}

/* The file that a unit is read from: an instance has its template's. */
static char *unit_file(const char *unit)
{
    const char *instance = instance_of(unit);
    return instance ? heap_printf("%.*s%s", (int)(instance - unit), unit, strrchr(unit, '.'))
                    : heap_copy(unit);
}

static int link_unit(struct plan *plan, const struct plan_unit *unit, struct error *err)
{
    char *file AUTO_FREE = unit_file(unit->name);
    char *ours AUTO_FREE = heap_printf(UNITS_OURS "/%s", file);
    char *base AUTO_FREE = heap_printf(UNITS_BASE "/%s", file);
    char *path AUTO_FREE = heap_printf(UNITS_OURS "/%s.wants/%s", unit->target, unit->name);
    return part_link(plan, path, tree_find(plan->tree, ours) ? ours : base, "nodebake", err);
}

/* The name of the unit that the entry switches on or off, or NULL. */
static const char *switched(const struct entry *entry)
{
    static const char *const places[] = {UNITS_OURS "/*.wants/*", UNITS_OURS "/*.requires/*"};
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (fnmatch(places[i], entry->path, FNM_PATHNAME) == 0)
            return strrchr(entry->path, '/') + 1;
    return NULL;
}

/* Presets know the instances of a template by a list behind its name. */
static void add_row(struct buffer *rows, const char *word, const char *unit)
{
    const char *instance = instance_of(unit);
    char *file AUTO_FREE = unit_file(unit);
    if (instance)
        buffer_printf(rows, "%s %s %.*s\n", word, file, (int)(strrchr(unit, '.') - instance),
                      instance);
    else
        buffer_printf(rows, "%s %s\n", word, file);
}

static bool waits_for_firstboot(const struct plan *plan, const char *unit)
{
    for (size_t i = 0; i < plan->enabled_count; i++)
        if (strcmp(plan->enabled[i].name, unit) == 0)
            return true;
    return false;
}

/* The first row of a unit counts: what is switched on in one place is on. */
static void add_rows(const struct plan *plan, enum entry_type type, const char *word,
                     struct texts *seen, struct buffer *rows)
{
    for (size_t i = 0; i < plan->tree->count; i++) {
        const struct entry *entry = &plan->tree->entries[i];
        const char *unit = entry->type == type ? switched(entry) : NULL;
        if (!unit || texts_have(seen, unit) ||
            (type == ENTRY_GONE && waits_for_firstboot(plan, unit)))
            continue;
        texts_add(seen, unit);
        add_row(rows, word, unit);
    }
}

int units_add(struct plan *plan, struct error *err)
{
    struct buffer rows AUTO_BUFFER = buffer_heap();
    struct texts seen AUTO_TEXTS = {0};
    for (size_t i = 0; i < plan->always_count; i++)
        if (link_unit(plan, &plan->always[i], err) < 0)
            return -1;
    tree_sort(plan->tree);
    add_rows(plan, ENTRY_LINK, "enable", &seen, &rows);
    add_rows(plan, ENTRY_GONE, "disable", &seen, &rows);
    return rows.len ? part_text(plan, PATH_PRESET_ALWAYS, 0644, &rows, "nodebake", err) : 0;
}
