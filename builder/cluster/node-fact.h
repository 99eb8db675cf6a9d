/* Facts that a machine learns at first boot: those of a profile, and those of cluster.yaml. */
#ifndef NB_BUILDER_NODE_FACT_H
#define NB_BUILDER_NODE_FACT_H

#include <stddef.h>

#include "builder/yaml/yaml.h"
#include "common/address.h"

/* Where a source has a fact. */
struct fact_path {
    char *source, *path;
};

/* A fact that the machine learns at first boot. */
struct node_fact {
    char *name;
    enum value_type type;
    struct fact_path *paths; /* those of one source are tried in their order */
    size_t path_count, path_cap;
    unsigned line; /* in its file */
};

/* Reads `name`, `type` and `from` of one fact into the struct node_fact at dest. GCE's path
 * attributes/KEY stands for the instance's attribute and then the project's. */
yaml_reader node_fact_read;

/* Frees what the fact holds. */
void node_fact_free(struct node_fact *fact) NONNULL(1);

#endif
