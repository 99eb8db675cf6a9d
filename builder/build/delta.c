#include "builder/build/delta.h"

#include <stdlib.h>
#include <string.h>

#include "builder/digest.h"
#include "builder/heap.h"

/* The content of both may lie on the host, or in memory. */
static int same_content(const struct entry *a, const struct entry *b, bool *same, struct error *err)
{
    if (a->text && b->text) {
        *same = a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
        return 0;
    }
    *same = a->host && b->host && strcmp(a->host, b->host) == 0;
    if (*same)
        return 0;
    char left[DIGEST_HEX_MAX], right[DIGEST_HEX_MAX];
    if (entry_digest(a, left, err) < 0 || entry_digest(b, right, err) < 0)
        return -1;
    *same = strcmp(left, right) == 0;
    return 0;
}

static bool same_xattrs(const struct entry *a, const struct entry *b)
{
    if (a->xattr_count != b->xattr_count)
        return false;
    for (size_t i = 0; i < a->xattr_count; i++)
        if (strcmp(a->xattrs[i].name, b->xattrs[i].name) != 0 ||
            a->xattrs[i].len != b->xattrs[i].len ||
            memcmp(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].len) != 0)
            return false;
    return true;
}

static int same_entry(const struct entry *a, const struct entry *b, bool *same, struct error *err)
{
    *same = a->type == b->type && a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
            same_xattrs(a, b);
    if (*same && a->target)
        *same = b->target && strcmp(a->target, b->target) == 0;
    if (*same && a->type == ENTRY_FILE)
        return same_content(a, b, same, err);
    return 0;
}

static bool is_parent(const char *dir, const char *path)
{
    size_t len = (size_t)(strrchr(path, '/') - path);
    return strlen(dir) == len && memcmp(dir, path, len) == 0;
}

/* What is put into a directory changes its time: the directory is part of the difference. */
static bool holds_wanted(const struct tree *tree, const bool *wanted, size_t dir)
{
    for (size_t i = dir + 1; i < tree->count; i++)
        if (wanted[i] && is_parent(tree->entries[dir].path, tree->entries[i].path))
            return true;
    return false;
}

static int mark(const struct tree *below, const struct tree *tree, bool *wanted, struct error *err)
{
    for (size_t i = 0; i < tree->count; i++) {
        bool same = false;
        const struct entry *old = tree_find(below, tree->entries[i].path);
        if (old && same_entry(old, &tree->entries[i], &same, err) < 0)
            return -1;
        wanted[i] = !same;
    }
    for (size_t i = 0; i < tree->count; i++)
        if (tree->entries[i].type == ENTRY_DIR && !wanted[i])
            wanted[i] = holds_wanted(tree, wanted, i);
    return 0;
}

static int check_nothing_lost(const struct tree *below, const struct tree *tree, struct error *err)
{
    for (size_t i = 0; i < below->count; i++)
        if (!tree_find(tree, below->entries[i].path))
            return error_set(err, "%s is %s the role's image and not %s the node's",
                             below->entries[i].path,
                             below->entries[i].type == ENTRY_GONE ? "removed from" : "in",
                             below->entries[i].type == ENTRY_GONE ? "from" : "in");
    return 0;
}

int delta_find(const struct tree *below, const struct tree *tree, struct tree *out,
               struct error *err)
{
    bool *wanted AUTO_FREE = heap_array(tree->count + 1, sizeof *wanted);
    if (check_nothing_lost(below, tree, err) < 0 || mark(below, tree, wanted, err) < 0)
        return -1;
    *out = (struct tree){.mtime = tree->mtime};
    out->entries = heap_array(tree->count + 1, sizeof *out->entries);
    for (size_t i = 0; i < tree->count; i++)
        if (wanted[i])
            out->entries[out->count++] = tree->entries[i];
    return 0;
}

void delta_free(struct tree *delta)
{
    free(delta->entries);
    *delta = (struct tree){0};
}
