#include "builder/lab/dhcp.h"

#include <string.h>

#include "builder/lab/lab.h"
#include "builder/lab/net.h"

enum { LEASE_SECONDS = 86400 };

static void print_hosts(const struct cluster *cluster, struct buffer *out)
{
    for (size_t i = 0; i < cluster->node_count; i++) {
        const struct node *node = &cluster->nodes[i];
        char mac[NET_MAC_MAX];
        net_mac(node->address, mac);
        buffer_printf(out, "dhcp-host=%s,%s,%s\n", mac, node->address, node->name);
    }
}

void dhcp_config(const struct cluster *cluster, struct buffer *out)
{
    char router[16];
    unsigned prefix;
    net_router(cluster, router, &prefix);
    size_t network = strcspn(cluster->nodes_cidr, "/");
    buffer_printf(
        out,
        "interface=br0\nbind-interfaces\npid-file=\nno-hosts\nno-resolv\nno-ping\nlog-dhcp\n"
        "log-facility=-\ndomain=c.%s.internal\nlocal=/c.%s.internal/\n"
        "host-record=metadata.google.internal," LAB_METADATA_ADDRESS "\n"
        "dhcp-authoritative\ndhcp-leasefile=" LAB_DHCP_LEASES "\n",
        cluster->name, cluster->name);
    buffer_printf(out, "dhcp-range=%.*s,static,%d\n", (int)network, cluster->nodes_cidr,
                  LEASE_SECONDS);
    buffer_printf(out,
                  "dhcp-option=option:netmask,255.255.255.255\ndhcp-option=option:router,%s\n"
                  "dhcp-option=option:classless-static-route,%s/32,0.0.0.0,0.0.0.0/0,%s\n"
                  "dhcp-option=option:mtu,%d\n"
                  "dhcp-option=option:dns-server," LAB_METADATA_ADDRESS "\n"
                  "dhcp-option=option:ntp-server," LAB_METADATA_ADDRESS "\n",
                  router, router, router, NET_MTU);
    print_hosts(cluster, out);
}
