#include "firstboot/interface.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <string.h>

#include "firstboot/netlink.h"

static void add_interface(void *ctx, const struct nlmsghdr *m)
{
    struct interface_list *list = ctx;
    const struct ifinfomsg *info = NLMSG_DATA(m);
    size_t skip = sizeof *info;
    if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < NLMSG_LENGTH(skip) ||
        list->count == INTERFACES_MAX)
        return;
    struct interface *i = &list->items[list->count];
    const char *name = netlink_attribute(m, skip, IFLA_IFNAME, 1);
    const void *mac = netlink_attribute(m, skip, IFLA_ADDRESS, sizeof i->mac);
    if (info->ifi_type != ARPHRD_ETHER || info->ifi_flags & (IFF_LOOPBACK | IFF_NOARP) || !name ||
        !mac || netlink_attribute(m, skip, IFLA_MASTER, sizeof(uint32_t)))
        return;
    memset(i, 0, sizeof *i);
    i->index = info->ifi_index;
    i->up = info->ifi_flags & IFF_UP;
    i->carrier = i->up && info->ifi_flags & IFF_LOWER_UP;
    memcpy(i->mac, mac, sizeof i->mac);
    memcpy(i->name, name, strnlen(name, sizeof i->name - 1)); /* the kernel ends it with NUL */
    list->count++;
}

int interface_list(int nl, struct interface_list *out)
{
    struct netlink_request r;
    out->count = 0;
    netlink_begin(&r, RTM_GETLINK, NLM_F_DUMP, sizeof r.body.link);
    return netlink_talk(nl, &r, add_interface, out);
}

int interface_set_up(int nl, int index, bool up)
{
    struct netlink_request r;
    netlink_begin(&r, RTM_NEWLINK, 0, sizeof r.body.link);
    r.body.link.ifi_index = index;
    r.body.link.ifi_flags = up ? IFF_UP : 0;
    r.body.link.ifi_change = IFF_UP;
    return netlink_talk(nl, &r, NULL, NULL);
}

/* The life time lets the kernel take the address away should firstboot be killed. */
static int change_address(int nl, uint16_t type, uint16_t flags, int index,
                          const struct dhcp_answer *lease)
{
    struct netlink_request r;
    struct ifa_cacheinfo life = {.ifa_prefered = lease->seconds, .ifa_valid = lease->seconds};
    netlink_begin(&r, type, flags, sizeof r.body.address);
    r.body.address.ifa_family = AF_INET;
    r.body.address.ifa_prefixlen = (uint8_t)lease->prefix;
    r.body.address.ifa_index = (uint32_t)index;
    netlink_put32(&r, IFA_LOCAL, htonl(lease->address));
    netlink_put32(&r, IFA_ADDRESS, htonl(lease->address));
    if (type == RTM_NEWADDR)
        netlink_put(&r, IFA_CACHEINFO, &life, sizeof life);
    return netlink_talk(nl, &r, NULL, NULL);
}

int interface_add_address(int nl, int index, const struct dhcp_answer *lease)
{
    return change_address(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, lease);
}

int interface_delete_address(int nl, int index, const struct dhcp_answer *lease)
{
    return change_address(nl, RTM_DELADDR, 0, index, lease);
}

static int change_route(int nl, uint16_t type, uint16_t flags, int index,
                        const struct dhcp_route *route)
{
    struct netlink_request r;
    netlink_begin(&r, type, flags, sizeof r.body.route);
    r.body.route.rtm_family = AF_INET;
    r.body.route.rtm_dst_len = (uint8_t)route->prefix;
    r.body.route.rtm_table = RT_TABLE_MAIN;
    r.body.route.rtm_protocol = RTPROT_DHCP;
    r.body.route.rtm_type = RTN_UNICAST;
    r.body.route.rtm_scope = route->via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    netlink_put32(&r, RTA_OIF, (uint32_t)index);
    if (route->prefix)
        netlink_put32(&r, RTA_DST, htonl(route->to));
    if (route->via) {
        r.body.route.rtm_flags = RTNH_F_ONLINK;
        netlink_put32(&r, RTA_GATEWAY, htonl(route->via));
    }
    return netlink_talk(nl, &r, NULL, NULL);
}

int interface_add_route(int nl, int index, const struct dhcp_route *route)
{
    return change_route(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, index, route);
}

int interface_delete_route(int nl, int index, const struct dhcp_route *route)
{
    return change_route(nl, RTM_DELROUTE, 0, index, route);
}

static void check_route(void *ctx, const struct nlmsghdr *m)
{
    const struct rtmsg *route = NLMSG_DATA(m);
    if (m->nlmsg_type != RTM_NEWROUTE || m->nlmsg_len < NLMSG_LENGTH(sizeof *route))
        return;
    const uint32_t *source = netlink_attribute(m, sizeof *route, RTA_PREFSRC, sizeof *source);
    uint32_t from = source ? ntohl(*source) : 0;
    *(bool *)ctx = route->rtm_type == RTN_UNICAST && from && from >> 24 != 127 &&
                   from >> 16 != METADATA_ADDRESS >> 16;
}

bool interface_routes_to(int nl, uint32_t address)
{
    struct netlink_request r;
    bool found = false;
    netlink_begin(&r, RTM_GETROUTE, 0, sizeof r.body.route);
    r.body.route.rtm_family = AF_INET;
    r.body.route.rtm_dst_len = 32;
    netlink_put32(&r, RTA_DST, htonl(address));
    return netlink_talk(nl, &r, check_route, &found) == 0 && found;
}
