/* For tests: entries on the heap, and trees of them. */
#ifndef NB_BUILDER_TREE_FIXTURE_H
#define NB_BUILDER_TREE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/tree/tree.h"

static inline struct entry entry_dir(const char *path, mode_t mode)
{
    return (struct entry){.path = heap_copy(path), .type = ENTRY_DIR, .mode = mode};
}

static inline struct entry entry_text(const char *path, const char *text, const char *source)
{
    return (struct entry){.path = heap_copy(path),
                          .type = ENTRY_FILE,
                          .mode = 0644,
                          .text = heap_copy(text),
                          .len = strlen(text),
                          .source = heap_copy(source)};
}

static inline struct entry entry_link(const char *path, const char *target)
{
    return (struct entry){.path = heap_copy(path), .type = ENTRY_LINK, .target = heap_copy(target)};
}

static inline struct tree *make_tree(void)
{
    struct error err = ERROR_INIT;
    struct tree *tree = NULL;
    assert_int_equal(tree_create(&tree, &err), 0);
    return tree;
}

static inline void add(struct tree *tree, struct entry entry)
{
    struct error err = ERROR_INIT;
    if (tree_add(tree, entry, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void refuse(struct tree *tree, struct entry entry, const char *message)
{
    struct error err = ERROR_INIT;
    assert_int_equal(tree_add(tree, entry, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
}

/* An attribute whose value is a C string. */
static inline void add_xattr(struct entry *entry, const char *name, const char *value)
{
    struct xattr *all = heap_array(entry->xattr_count + 1, sizeof *all);
    if (entry->xattr_count)
        memcpy(all, entry->xattrs, entry->xattr_count * sizeof *all);
    free(entry->xattrs);
    all[entry->xattr_count++] =
        (struct xattr){.name = heap_copy(name), .value = heap_copy(value), .len = strlen(value)};
    entry->xattrs = all;
}

static inline struct entry entry_hardlink(const char *path, const char *file)
{
    return (struct entry){
        .path = heap_copy(path), .type = ENTRY_HARDLINK, .target = heap_copy(file)};
}

static inline struct entry entry_gone(const char *path)
{
    return (struct entry){.path = heap_copy(path), .type = ENTRY_GONE};
}

#endif
