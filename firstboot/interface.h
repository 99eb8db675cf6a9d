/* The machine's Ethernet interfaces, their addresses and routes, by rtnetlink. `nl` is a socket of
 * netlink_open; on -1 errno says why. */
#ifndef NB_FIRSTBOOT_INTERFACE_H
#define NB_FIRSTBOOT_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "firstboot/dhcp.h"

enum { INTERFACES_MAX = 32, INTERFACE_NAME_MAX = 16 };

struct interface {
    int index;
    char name[INTERFACE_NAME_MAX];
    uint8_t mac[6];
    bool up;      /* set up by somebody */
    bool carrier; /* up, and something is at the other end */
};

struct interface_list {
    struct interface items[INTERFACES_MAX];
    size_t count; /* more than INTERFACES_MAX interfaces are left out */
};

/* Lists the Ethernet interfaces that belong to no bond or bridge. */
int interface_list(int nl, struct interface_list *out) NONNULL(2) MUST_CHECK;

/* Sets an interface up or down. */
int interface_set_up(int nl, int index, bool up) MUST_CHECK;

/* Adds the address of a lease, for as long as it lasts; EEXIST when it is there. */
int interface_add_address(int nl, int index, const struct dhcp_answer *lease) NONNULL(3) MUST_CHECK;
int interface_delete_address(int nl, int index, const struct dhcp_answer *lease)
    NONNULL(3) MUST_CHECK;

/* Adds the route of a lease, whether or not its router is inside the network of the address (on
 * GCE it is not); EEXIST when there is one to the same place. */
int interface_add_route(int nl, int index, const struct dhcp_route *route) NONNULL(3) MUST_CHECK;
int interface_delete_route(int nl, int index, const struct dhcp_route *route) NONNULL(3) MUST_CHECK;

/* Would a packet to `address` leave the machine, with a source address that is neither loopback
 * nor link-local? */
bool interface_routes_to(int nl, uint32_t address);

#endif
