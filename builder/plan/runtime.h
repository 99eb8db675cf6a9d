/* Which of containerd's runtimes runs the containers. */
#ifndef NB_BUILDER_RUNTIME_H
#define NB_BUILDER_RUNTIME_H

#include <stdbool.h>

#include "builder/cluster/cluster.h"

/* containerd's first shim, which knows cgroup v1 only. */
#define RUNTIME_V1 "io.containerd.runtime.v1.linux"

/* Is it that one? */
bool runtime_is_v1(const struct cluster *cluster) NONNULL(1);

#endif
