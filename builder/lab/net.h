/* The lab's network, made by iproute2 in the namespace that the process is in:
 *
 *   machine ── tap ─┐
 *   machine ── tap ─┴─ br0  router (the nodes' network's first address), 169.254.169.254 (metadata,
 *                           names), the cluster's public address (balancer); routes of the pods */
#ifndef NB_BUILDER_LAB_NET_H
#define NB_BUILDER_LAB_NET_H

#include <stdbool.h>

#include "builder/cluster/cluster.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

enum { NET_MTU = 1460, NET_TAP_MAX = 16, NET_MAC_MAX = 18 };

/* The router's address and the prefix length of the nodes' network; address holds 16 bytes. */
void net_router(const struct cluster *cluster, char address[static 16], unsigned *prefix)
    NONNULL(1, 2, 3);

/* Refuses a cluster whose network has no room for the router, or a node that has its address. */
int net_check(const struct cluster *cluster, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* The hardware address of the machine that has this address, as GCE makes them. */
void net_mac(const char *address, char mac[static NET_MAC_MAX]) NONNULL(1, 2);

/* The name of its tap. */
void net_tap(const char *address, char tap[static NET_TAP_MAX]) NONNULL(1, 2);

/* Appends what `ip -batch` has to do for net_make. */
void net_script(const struct cluster *cluster, struct buffer *out) NONNULL(1, 2);

/* Makes bridge, addresses and routes. */
int net_make(const struct cluster *cluster, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Makes the tap of a machine; unless it is cut off, on the bridge. What was there goes first. */
int net_tap_add(const char *address, bool cut, struct error *err) NONNULL(1, 3) MUST_CHECK;

/* Takes the tap from the bridge, or puts it back. */
int net_tap_cut(const char *address, bool cut, struct error *err) NONNULL(1, 3) MUST_CHECK;

/* Removes it; one that is not there is no error. */
void net_tap_remove(const char *address) NONNULL(1);

#endif
