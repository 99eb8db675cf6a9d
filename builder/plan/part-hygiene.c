/* What the base's own boots left in it goes, unless the image has something of its own there. */
#include <string.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/image/dirt.h"
#include "builder/plan/part.h"

static bool lies_in(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    return strncmp(path, dir, len) == 0 && path[len] == '/';
}

/* Does the tree have the path or something below it, or does the path go with its directory? */
static bool is_settled(const struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++) {
        const struct entry *entry = &tree->entries[i];
        if (strcmp(entry->path, path) == 0 || lies_in(entry->path, path) ||
            (entry->type == ENTRY_GONE && lies_in(path, entry->path)))
            return true;
    }
    return false;
}

/* Sorted: directories come before what is in them. */
int part_hygiene(struct plan *plan, struct error *err)
{
    const struct texts *dirt = plan->in.base ? &plan->in.base->dirt : NULL;
    for (size_t i = 0; dirt && i < dirt->count; i++) {
        const struct dirt_kind *kind = dirt_kind_of(dirt->items[i]);
        char *source AUTO_FREE = heap_printf("hygiene: %s", kind ? kind->label : "left behind");
        if (!is_settled(plan->tree, dirt->items[i]) &&
            part_gone(plan, dirt->items[i], source, err) < 0)
            return -1;
    }
    return 0;
}
