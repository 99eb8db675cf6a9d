#include "firstboot/net.h"

#include <errno.h>

#include "common/cleanup.h"
#include "firstboot/dhcp-client.h"
#include "firstboot/interface.h"
#include "firstboot/netlink.h"

/* What net_up added and net_down has to take away. */
static struct {
    int index;
    struct dhcp_answer lease;
    bool links, address, route;
} done;

static int apply(int nl, struct error *err)
{
    done.address = interface_add_address(nl, done.index, &done.lease) == 0;
    if (!done.address && errno != EEXIST)
        return error_errno(err, "add the address that DHCP gave");
    done.route = interface_add_route(nl, done.index, &done.lease.route) == 0;
    if (!done.route && errno != EEXIST)
        return error_errno(err, "add the route that DHCP gave");
    return 0;
}

int net_up(struct deadline deadline, struct error *err)
{
    int nl AUTO_CLOSE = netlink_open(0);
    if (nl < 0)
        return error_errno(err, "open an rtnetlink socket");
    if (interface_routes_to(nl, METADATA_ADDRESS))
        return 0;
    done.links = true;
    if (dhcp_client_run(nl, deadline, &done.index, &done.lease, err) < 0 || apply(nl, err) < 0) {
        net_down();
        return -1;
    }
    return 0;
}

/* Best effort, in reverse order: there is nobody to tell, and the real root comes next. */
void net_down(void)
{
    int nl AUTO_CLOSE = netlink_open(0);
    if (nl < 0)
        return;
    if (done.route)
        done.route = interface_delete_route(nl, done.index, &done.lease.route) < 0;
    if (done.address)
        done.address = interface_delete_address(nl, done.index, &done.lease) < 0;
    if (done.links)
        dhcp_client_down(nl);
    done.links = false;
}
