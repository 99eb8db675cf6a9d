#include "firstboot/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "firstboot/dhcp-client.h"
#include "firstboot/interface.h"
#include "firstboot/netlink.h"

enum { METADATA_PORT = 80, PROBE_MS = 1500 };

/* What net_up added and net_down has to take away. */
static struct state {
    int index;
    struct dhcp_answer lease;
    bool links, address, route;
    int raised[INTERFACES_MAX];
} own, *done = &own;

void net_share(void)
{
    void *shared =
        mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return;
    done = shared;
    dhcp_client_raised(done->raised);
}

static int apply(int nl, struct error *err)
{
    done->address = interface_add_address(nl, done->index, &done->lease) == 0;
    if (!done->address && errno != EEXIST)
        return error_errno(err, "add the address that DHCP gave");
    done->route = interface_add_route(nl, done->index, &done->lease.route) == 0;
    if (!done->route && errno != EEXIST)
        return error_errno(err, "add the route that DHCP gave");
    return 0;
}

/* Does a machine at the metadata service's address answer, be it by refusing? */
static bool reaches_metadata(struct deadline deadline)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(METADATA_PORT),
                             .sin_addr.s_addr = htonl(METADATA_ADDRESS)};
    int status = 0;
    socklen_t size = sizeof status;
    int fd AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return true; /* who asks will say it */
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return true;
    if (errno == EINPROGRESS) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (poll(&p, 1, deadline_left_ms(deadline_step(deadline, PROBE_MS))) <= 0 ||
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &status, &size) < 0)
            return false;
        errno = status;
    }
    return errno == 0 || errno == ECONNREFUSED;
}

static void take_away(int nl)
{
    if (done->route)
        done->route = interface_delete_route(nl, done->index, &done->lease.route) < 0;
    if (done->address)
        done->address = interface_delete_address(nl, done->index, &done->lease) < 0;
}

/* One lease after the other, until the metadata service answers behind one. With a single interface
 * there is no other way to it, and nothing is tried. */
static int find_way(int nl, struct deadline deadline, struct error *err)
{
    for (;;) {
        if (dhcp_client_run(nl, deadline, &done->index, &done->lease, err) < 0 ||
            apply(nl, err) < 0)
            return -1;
        if (dhcp_client_interfaces() < 2 || reaches_metadata(deadline))
            return 0;
        take_away(nl);
        dhcp_client_pass_over(done->index, "no metadata service behind it");
    }
}

int net_up(struct deadline deadline, struct error *err)
{
    int nl AUTO_CLOSE = netlink_open(0);
    if (nl < 0)
        return error_errno(err, "open an rtnetlink socket");
    if (interface_routes_to(nl, METADATA_ADDRESS))
        return 0;
    done->links = true;
    if (find_way(nl, deadline, err) < 0) {
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
    take_away(nl);
    if (done->links)
        dhcp_client_down(nl);
    done->links = false;
}
