/* For which clusters a row of a profile counts. */
#ifndef NB_BUILDER_WHEN_H
#define NB_BUILDER_WHEN_H

#include <stdbool.h>

#include "builder/cluster/cluster.h"
#include "builder/yaml/yaml.h"

/* Conditions that all have to hold, a bit each; 0: always. */
typedef unsigned when_set;

/* Destination when_set: one of the words of docs/profile.yaml.md, or a list of them. */
yaml_reader when_read;

/* Does a row with these conditions count for the cluster? */
bool when_holds(when_set when, const struct cluster *cluster) NONNULL(2);

#endif
