/* What a node's tree has that its role's has not. */
#ifndef NB_BUILDER_DELTA_H
#define NB_BUILDER_DELTA_H

#include "builder/tree/tree.h"
#include "common/attributes.h"
#include "common/error.h"

/* The entries of `tree` that `below` lacks or has otherwise, and the directories around them, in
 * order. They stay the tree's: free the delta with delta_free. An entry that only `below` has is
 * an error. */
int delta_find(const struct tree *below, const struct tree *tree, struct tree *out,
               struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

void delta_free(struct tree *delta) NONNULL(1);
#define AUTO_DELTA __attribute__((cleanup(delta_free)))

#endif
