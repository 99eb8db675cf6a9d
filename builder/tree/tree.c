#include "builder/tree/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

/* 2020-01-01T00:00:00Z: any fixed date will do, but make and tar dislike the epoch itself. */
static const time_t MTIME_DEFAULT = 1577836800;
/* What a cpio header holds, and less than ext4 does. */
static const unsigned long MTIME_MAX = 0xffffffff;

static int mtime_of_environment(time_t *mtime, struct error *err)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    *mtime = MTIME_DEFAULT;
    if (!text || !*text)
        return 0;
    errno = 0;
    unsigned long value = strtoul(text, NULL, 10);
    if (strspn(text, "0123456789") != strlen(text) || errno || value > MTIME_MAX)
        return error_set(err, "SOURCE_DATE_EPOCH: '%s' is not a number of seconds from 0 to %lu",
                         text, MTIME_MAX);
    *mtime = (time_t)value;
    return 0;
}

int tree_create(struct tree **out, struct error *err)
{
    time_t mtime;
    if (mtime_of_environment(&mtime, err) < 0)
        return -1;
    struct tree *tree = heap_array(1, sizeof *tree);
    tree->mtime = mtime;
    *out = tree;
    return 0;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

int tree_add(struct tree *tree, struct entry entry, struct error *err)
{
    if (entry_check(&entry, err) < 0)
        goto refused;
    struct entry *old = (struct entry *)tree_find(tree, entry.path);
    if (!old) {
        tree->entries = heap_grow(tree->entries, tree->count, &tree->cap, sizeof *tree->entries);
        tree->entries[tree->count++] = entry;
        return 0;
    }
    if (old->type != entry.type) {
        error_set(err, "%s is a %s (from %s) and cannot also be a %s (from %s)", entry.path,
                  entry_type_name(old->type), old->source ? old->source : "nodebake",
                  entry_type_name(entry.type), entry.source ? entry.source : "nodebake");
        goto refused;
    }
    if (entry.type != ENTRY_DIR && !same_text(old->source, entry.source)) {
        error_set(err, "%s comes from both %s and %s", entry.path,
                  old->source ? old->source : "nodebake", entry.source ? entry.source : "nodebake");
        goto refused;
    }
    entry_free(old);
    *old = entry;
    return 0;
refused:
    entry_free(&entry);
    return -1;
}

const struct entry *tree_find(const struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++)
        if (strcmp(tree->entries[i].path, path) == 0)
            return &tree->entries[i];
    return NULL;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

void tree_sort(struct tree *tree)
{
    if (tree->count > 1)
        qsort(tree->entries, tree->count, sizeof *tree->entries, by_path);
}

void tree_free(struct tree *tree)
{
    if (!tree)
        return;
    for (size_t i = 0; i < tree->count; i++)
        entry_free(&tree->entries[i]);
    free(tree->entries);
    free(tree);
}

void tree_free_at(struct tree **tree)
{
    tree_free(*tree);
}
