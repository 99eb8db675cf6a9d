#include "builder/lab/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/lab/lab.h"
#include "builder/process.h"
#include "common/address.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { IP_SECONDS = 20 };

static uint32_t address_bits(const char *address)
{
    uint32_t bits = 0;
    return ipv4_parse(address, &bits) ? bits : 0; /* the cluster's reader has checked it */
}

void net_router(const struct cluster *cluster, char address[static 16], unsigned *prefix)
{
    struct cidr nodes = {0};
    if (!cidr_parse(cluster->nodes_cidr, &nodes))
        nodes = (struct cidr){0};
    struct in_addr router = {.s_addr = htonl(nodes.address + 1)};
    *prefix = nodes.prefix;
    inet_ntop(AF_INET, &router, address, 16);
}

int net_check(const struct cluster *cluster, struct error *err)
{
    char router[16];
    unsigned prefix;
    net_router(cluster, router, &prefix);
    if (prefix > 30)
        return error_set(err, "%s: networks.nodes: a /%u has no room for the lab's router",
                         cluster->file, prefix);
    for (size_t i = 0; i < cluster->node_count; i++)
        if (strcmp(cluster->nodes[i].address, router) == 0)
            return error_set(err,
                             "%s:%u: %s has the address %s, which is the router's in the lab: the "
                             "first of networks.nodes; give it another one",
                             cluster->file, cluster->nodes[i].line, cluster->nodes[i].name, router);
    return 0;
}

void net_mac(const char *address, char mac[static NET_MAC_MAX])
{
    uint32_t a = address_bits(address);
    snprintf(mac, NET_MAC_MAX, "42:01:%02x:%02x:%02x:%02x", a >> 24, a >> 16 & 0xff, a >> 8 & 0xff,
             a & 0xff);
}

void net_tap(const char *address, char tap[static NET_TAP_MAX])
{
    snprintf(tap, NET_TAP_MAX, "tap-%08x", address_bits(address));
}

void net_script(const struct cluster *cluster, struct buffer *out)
{
    char router[16];
    unsigned prefix;
    net_router(cluster, router, &prefix);
    buffer_printf(out,
                  "link set lo up\n"
                  "link add br0 mtu %d type bridge\n"
                  "address add %s/%u dev br0\n"
                  "address add " LAB_METADATA_ADDRESS "/32 dev br0\n"
                  "address add %s/32 dev br0\n"
                  "link set br0 up\n",
                  NET_MTU, router, prefix, cluster->public_address);
    for (size_t i = 0; i < cluster->node_count; i++)
        if (cluster->nodes[i].pod_cidr)
            buffer_printf(out, "route add %s via %s\n", cluster->nodes[i].pod_cidr,
                          cluster->nodes[i].address);
}

static int run_ip(const char *script, struct error *err)
{
    const char *const argv[] = {"ip", "-batch", "-", NULL};
    const struct process ip = {.argv = argv, .input = script, .deadline = IP_SECONDS};
    return process_run(&ip, NULL, err);
}

static int set_switch(const char *name, const char *value, struct error *err)
{
    char path[96];
    snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", name);
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || file_write_all(fd, value, strlen(value)) < 0)
        return error_errno(err, "write %s", path);
    return 0;
}

int net_make(const struct cluster *cluster, struct error *err)
{
    struct buffer script AUTO_BUFFER = buffer_heap();
    net_script(cluster, &script);
    if (run_ip(script.data, err) < 0)
        return error_context(err, "the lab's network");
    /* The router sends on what is for another machine, and never says that there is a shorter
     * way. */
    if (set_switch("ip_forward", "1", err) < 0 ||
        set_switch("conf/all/send_redirects", "0", err) < 0)
        return -1;
    /* A tap that is cut off is still one of the router's: what comes from it has an address that is
     * behind br0, and goes nowhere. */
    if (set_switch("conf/all/rp_filter", "1", err) < 0)
        return -1;
    return set_switch("conf/br0/send_redirects", "0", err);
}

int net_tap_add(const char *address, bool cut, struct error *err)
{
    char tap[NET_TAP_MAX];
    net_tap(address, tap);
    net_tap_remove(address);
    char *script AUTO_FREE = heap_printf("tuntap add %s mode tap\nlink set %s %s%s up\n", tap, tap,
                                         cut ? "nomaster" : "master ", cut ? "" : "br0");
    return run_ip(script, err);
}

int net_tap_cut(const char *address, bool cut, struct error *err)
{
    char tap[NET_TAP_MAX];
    net_tap(address, tap);
    char *script AUTO_FREE = heap_printf("link set %s %s\n", tap, cut ? "nomaster" : "master br0");
    return run_ip(script, err);
}

void net_tap_remove(const char *address)
{
    char tap[NET_TAP_MAX];
    struct error ignored = ERROR_INIT;
    int status;
    net_tap(address, tap);
    const char *const argv[] = {"ip", "link", "delete", tap, NULL};
    const struct process ip = {.argv = argv, .deadline = IP_SECONDS};
    if (process_run(&ip, &status, &ignored) < 0)
        ignored.text[0] = '\0';
}
