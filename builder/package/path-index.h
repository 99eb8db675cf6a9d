/* What is known by path: a search tree. (search.h has a struct entry of its own, so that it stays
 * out of other files.) */
#ifndef NB_BUILDER_PATH_INDEX_H
#define NB_BUILDER_PATH_INDEX_H

#include "common/attributes.h"

/* Puts a value under a path that is not in the tree yet; the path must last as long as the tree.
 * *root is NULL at first. */
void path_index_put(void **root, const char *path, void *value) NONNULL(1, 2);

/* The value under the path, or NULL. */
void *path_index_get(void *root, const char *path) NONNULL(2);

/* Frees the tree, not what is in it. */
void path_index_free(void *root);

#endif
