/* A node's identity as its metadata carries it. The bundle's form: docs/contract.md. */
#ifndef NB_BUILDER_FLEET_BUNDLE_H
#define NB_BUILDER_FLEET_BUNDLE_H

#include "builder/cluster/cluster.h"
#include "builder/pki/node-keys.h"
#include "builder/plan/profile.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Appends the bundle of a node of the role: the files of its `identity`, whose kubeconfig names the
 * certificate's and the key's file instead of holding them again. It is a secret. */
int bundle_write(const struct cluster *cluster, const struct profile *profile,
                 const struct role *role, const struct node *node, const struct node_keys *keys,
                 struct buffer *out, struct error *err) NONNULL(1, 2, 3, 4, 5, 6, 7) MUST_CHECK;

/* Appends user-data as AWS's machines get it; `base64` is the bundle. */
void bundle_user_data(const struct node *node, const char *base64, struct buffer *out)
    NONNULL(1, 2, 3);

/* The bundles of all nodes in base64: a list with a text for each node of the cluster, NULL for
 * those that have none. With another identity mode *out is NULL. */
int bundle_all(const struct cluster *cluster, const struct profile *profile, const char *pki,
               char ***out, struct error *err) NONNULL(1, 2, 3, 4, 5) MUST_CHECK;

/* Wipes and frees such a list; NULL is allowed. */
void bundle_free_all(const struct cluster *cluster, char **bundles) NONNULL(1);

#endif
