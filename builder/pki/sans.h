/* The names that certificates of a cluster are issued for. */
#ifndef NB_BUILDER_SANS_H
#define NB_BUILDER_SANS_H

#include "builder/cluster/cluster.h"
#include "builder/pki/x509.h"

/* Appends the names to the subject, each once; `node` is NULL but for a node's certificate. */
typedef void sans_filler(const struct cluster *cluster, const struct node *node, struct subject *s);

sans_filler sans_of_node;
sans_filler sans_of_api_server;
sans_filler sans_of_etcd;

#endif
