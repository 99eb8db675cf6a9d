/* What GCE's metadata server knows of a node, as a file system of values. */
#ifndef NB_BUILDER_LAB_GCE_H
#define NB_BUILDER_LAB_GCE_H

#include "builder/cluster/cluster.h"
#include "common/attributes.h"
#include "common/buffer.h"

/* Answers for the path of a request ("/computeMetadata/v1/instance/name"): the HTTP status, with
 * the value, the listing of a folder (path ends with '/') or a line of explanation appended to
 * `out`. 301: the folder of that name stands at the path with a '/' behind it. */
unsigned gce_answer(const struct cluster *cluster, const struct node *node, const char *path,
                    struct buffer *out) NONNULL(1, 2, 3, 4);

#endif
