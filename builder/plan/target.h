/* Which images a command line asks for. */
#ifndef NB_BUILDER_TARGET_H
#define NB_BUILDER_TARGET_H

#include <stddef.h>

#include "builder/cluster/cluster.h"
#include "builder/plan/profile.h"
#include "common/attributes.h"
#include "common/error.h"

/* An image to be made: for a role (node is NULL) or for one node. */
struct target {
    const struct role *role;
    const struct node *node;
};

/* Turns names of roles and nodes into targets (*out belongs to the caller; its pointers do not).
 * No names: every node whose role the profile lays out, or the role where one image serves all of
 * it. A name given twice counts once. */
int target_select(const struct cluster *cluster, const struct profile *profile, char *const *names,
                  size_t n, struct target **out, size_t *count, struct error *err)
    NONNULL(1, 2, 5, 6, 7) MUST_CHECK;

/* Can each have an image of its own? None of a single node, where machines are named at launch. */
int target_check(const struct profile *profile, const struct target *targets, size_t n,
                 struct error *err) NONNULL(1, 2, 4) MUST_CHECK;

#endif
