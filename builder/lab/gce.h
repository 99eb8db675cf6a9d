/* What GCE's metadata server knows of a node, as a file system of values. */
#ifndef NB_BUILDER_LAB_GCE_H
#define NB_BUILDER_LAB_GCE_H

#include <stdbool.h>

#include "builder/cluster/cluster.h"
#include "common/attributes.h"
#include "common/buffer.h"

enum { GCE_ANSWER_MAX = 32 * 1024, GCE_KEYS_MAX = 8 * 1024 };

struct gce {
    const struct cluster *cluster;
    const char *ssh_keys; /* the project's attribute ssh-keys, up to GCE_KEYS_MAX; NULL: none */
    /* The identity of each node of the cluster in base64, NULL where it has none; NULL: none has.
     */
    char *const *bundles;
};

/* The node's identity in base64, or NULL. */
const char *gce_bundle(const struct gce *gce, const struct node *node) NONNULL(1, 2);

/* Answers for the path of a request ("/computeMetadata/v1/instance/name"): the HTTP status, with
 * the value, the listing of a folder (path ends with '/') or a line of explanation appended to
 * `out` (GCE_ANSWER_MAX bytes are enough). 301: the folder of that name stands at the path with a
 * '/' behind it. `recursive` asks for all that is below a folder attributes/, as JSON. */
unsigned gce_answer(const struct gce *gce, const struct node *node, const char *path,
                    bool recursive, struct buffer *out) NONNULL(1, 2, 3, 5);

#endif
