/* The cluster's certificates, keys and kubeconfigs in one folder, named as in Kubernetes The
 * Hard Way: ca.pem, ca-key.pem, NODE.pem, NODE-key.pem, NODE.kubeconfig, kube-proxy.… */
#ifndef NB_BUILDER_PKI_H
#define NB_BUILDER_PKI_H

#include <stddef.h>

#include "builder/cluster/cluster.h"
#include "common/attributes.h"
#include "common/error.h"

/* Issues what is missing for the cluster's workers: the CA, a certificate and kubeconfig for each
 * worker and for kube-proxy. The folder is 0700, keys and kubeconfigs are 0600 from their first
 * byte, each file is published atomically, a key before its certificate. What is there stays as
 * it is; a key without its certificate gets one, a certificate without its key is an error. A
 * lock keeps a second run out. *issued counts the files written. */
int pki_issue(const struct cluster *cluster, const char *dir, unsigned *issued, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

#endif
