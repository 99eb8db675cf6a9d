/* The facts that firstboot finds out: those of the profile, those of cluster.yaml, then those
 * that nodebake itself asks for. */
#ifndef NB_BUILDER_NODE_FACTS_H
#define NB_BUILDER_NODE_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/plan/plan.h"
#include "common/attributes.h"

#define FACT_SSH_KEYS "SSH_KEYS" /* of type sshkeys: keys of access.user in metadata */
/* Of type bundle: with `identity: metadata`, what `nodebake identity` writes. */
#define FACT_IDENTITY "NODE_IDENTITY"
/* With `cloudProvider: aws`: the private DNS name, by which its kubelet registers a node. */
#define FACT_CLOUD_NAME "CLOUD_NODE_NAME"

/* How many there are with these inputs. */
size_t node_fact_count(const struct plan_input *in) NONNULL(1);

/* The i-th, i below the count. */
const struct node_fact *node_fact_at(const struct plan_input *in, size_t i) NONNULL(1);

/* May the cluster's machines ask the source of that path? */
bool node_fact_asks(const struct plan_input *in, const struct fact_path *path) NONNULL(1, 2);

/* The file in which it stands. */
const char *node_fact_file(const struct plan_input *in, size_t i) NONNULL(1);

/* The index of the fact of that name; the count when there is none. */
size_t node_fact_index(const struct plan_input *in, const char *name) NONNULL(1, 2);

/* Is the name one that nodebake keeps for itself? */
bool node_fact_reserved(const char *name) NONNULL(1);

#endif
