#include "builder/image/base-dirt.h"

#include <stdlib.h>
#include <string.h>

#include "builder/image/dirt.h"
#include "builder/image/glob.h"

enum { NAMES_MAX = 100 * 1000 };

struct search {
    struct texts *dirt;
    bool whole;
};

/* That of a file system is no dirt. */
static bool is_lost_and_found(const char *path)
{
    static const char name[] = "/lost+found";
    const char *at = strstr(path, name);
    return at && (!at[sizeof name - 1] || at[sizeof name - 1] == '/');
}

static void note(void *ctx, const char *path, const struct disk_item *item)
{
    struct search *s = ctx;
    if (s->whole ? !is_lost_and_found(path) : dirt_counts(path, item))
        texts_add(s->dirt, path);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Patterns may match the same. */
static void sort(struct texts *texts)
{
    size_t n = 0;
    if (texts->count)
        qsort(texts->items, texts->count, sizeof *texts->items, by_text);
    for (size_t i = 0; i < texts->count; i++)
        if (n && strcmp(texts->items[n - 1], texts->items[i]) == 0)
            free(texts->items[i]);
        else
            texts->items[n++] = texts->items[i];
    texts->count = n;
}

static int search_kind(const struct dirt_kind *kind, struct glob *glob, struct error *err)
{
    struct search *s = glob->ctx;
    for (size_t p = 0; p < DIRT_PATTERNS_MAX && kind->patterns[p].text; p++) {
        s->whole = glob->directories = kind->patterns[p].whole;
        if (glob_walk(glob, kind->patterns[p].text, err) < 0)
            return error_context(err, "look for %s of the base", kind->label);
    }
    return 0;
}

int base_read_dirt(const struct disk_writer *writer, struct disk *disk, struct base *base,
                   struct error *err)
{
    const struct disk_view view = {.writer = writer, .disk = disk};
    struct search search = {.dirt = &base->dirt};
    struct glob glob = {.view = &view, .found = note, .ctx = &search, .left = NAMES_MAX};
    for (size_t i = 0; i < dirt_kind_count; i++)
        if (!dirt_kinds[i].kept && search_kind(&dirt_kinds[i], &glob, err) < 0)
            return -1;
    sort(&base->dirt);
    return 0;
}
