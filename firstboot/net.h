/* The network for as long as firstboot needs it: DHCPv4 (RFC 2131) on all Ethernet interfaces at
 * once over packet sockets, addresses and routes over rtnetlink (rtnetlink(7)). */
#ifndef NB_FIRSTBOOT_NET_H
#define NB_FIRSTBOOT_NET_H

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/clock.h"

/* Brings the network up unless somebody has (an interface that is up, has a global IPv4 address
 * and a route to 169.254.169.254 is taken as it is). Waits for links, retransmits from 100 ms on;
 * the first interface with a lease wins, of several the first behind
 * whose lease somebody answers at 169.254.169.254. The error says what was missing: no interface,
 * no link, or no answer, and for how long. */
int net_up(struct deadline deadline, struct error *err) NONNULL(2) MUST_CHECK;

/* Before a fork: what net_up does in one process, net_down takes away in another, too. Best effort.
 */
void net_share(void);

/* Takes away what net_up added (addresses, routes) and sets down the links that it set up, so
 * that the real root's network manager finds the interfaces untouched. */
void net_down(void);

#endif
