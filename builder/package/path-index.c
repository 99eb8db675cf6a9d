#include "builder/package/path-index.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

struct node {
    const char *path;
    void *value;
};

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

void path_index_put(void **root, const char *path, void *value)
{
    struct node *node = heap_array(1, sizeof *node);
    *node = (struct node){path, value};
    if (!tsearch(node, root, by_path))
        abort(); /* no memory */
}

void *path_index_get(void *root, const char *path)
{
    const struct node wanted = {path, NULL};
    void *found = tfind(&wanted, &root, by_path);
    return found ? (*(struct node **)found)->value : NULL;
}

void path_index_free(void *root)
{
    tdestroy(root, free);
}
