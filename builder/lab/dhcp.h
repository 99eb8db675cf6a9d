/* Addresses and names in the lab: what dnsmasq is told. */
#ifndef NB_BUILDER_LAB_DHCP_H
#define NB_BUILDER_LAB_DHCP_H

#include "builder/cluster/cluster.h"
#include "common/attributes.h"
#include "common/buffer.h"

/* Appends dnsmasq's configuration: leases only for the cluster's nodes, as on GCE a /32, so that
 * all goes through the router, whose own route is given too; and a name server at the metadata
 * service's address, which knows that service and the machines. */
void dhcp_config(const struct cluster *cluster, struct buffer *out) NONNULL(1, 2);

#endif
