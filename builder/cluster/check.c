/* How the values of cluster.yaml go together. */
#include <string.h>

#include "builder/cluster/spec.h"
#include "common/address.h"

/* Texts of spots have passed their readers, so they parse. */
static struct cidr network(const struct spot *spot)
{
    struct cidr cidr = {0};
    cidr_parse(spot->text, &cidr);
    return cidr;
}

static struct cidr host(const struct spot *spot)
{
    struct cidr cidr = {.prefix = 32};
    ipv4_parse(spot->text, &cidr.address);
    return cidr;
}

static int check_apart(const struct spot *a, const char *a_name, const struct spot *b,
                       const char *b_name, struct error *err)
{
    if (!cidr_overlaps(network(a), network(b)))
        return 0;
    return yaml_error(b->ref, err, "%s network %s overlaps the %s network %s; choose another",
                      b_name, b->text, a_name, a->text);
}

static int check_networks(const struct spec *s, struct error *err)
{
    struct cidr services = network(&s->services_cidr), dns = host(&s->dns);
    if (check_apart(&s->nodes_cidr, "nodes", &s->pods_cidr, "pods", err) < 0 ||
        check_apart(&s->nodes_cidr, "nodes", &s->services_cidr, "services", err) < 0 ||
        check_apart(&s->pods_cidr, "pods", &s->services_cidr, "services", err) < 0)
        return -1;
    if (services.prefix > 28 || services.prefix < 12)
        return yaml_error(s->services_cidr.ref, err,
                          "the services network must be a /12 to a /28, not a /%u",
                          services.prefix);
    if (!cidr_contains(services, dns))
        return yaml_error(s->dns.ref, err, "%s is outside the services network %s", s->dns.text,
                          s->services_cidr.text);
    if (dns.address - services.address < 2)
        return yaml_error(s->dns.ref, err,
                          "%s is the services network's first address, which the API server's own "
                          "service takes; choose a later one",
                          s->dns.text);
    struct cidr public = host(&s->public_address);
    if (cidr_contains(services, public) || cidr_contains(network(&s->pods_cidr), public))
        return yaml_error(s->public_address.ref, err,
                          "%s lies in the pods or services network; it is the balancer's address",
                          s->public_address.text);
    return 0;
}

static int check_address(const struct spec *s, const struct spec_node *node, struct error *err)
{
    struct cidr nodes = network(&s->nodes_cidr), address = host(&node->address);
    uint32_t broadcast = nodes.address | (uint32_t)(UINT64_C(0xffffffff) >> nodes.prefix);
    if (!cidr_contains(nodes, address))
        return yaml_error(node->address.ref, err, "%s is outside the nodes network %s",
                          node->address.text, s->nodes_cidr.text);
    if (nodes.prefix < 31 && (address.address == nodes.address || address.address == broadcast))
        return yaml_error(node->address.ref, err,
                          "%s is the network's own or broadcast address; choose one between",
                          node->address.text);
    return 0;
}

static int check_pod_cidr(const struct spec *s, const struct spec_node *node, struct error *err)
{
    bool worker = strcmp(node->role.text, "worker") == 0;
    const struct spot *pods = &node->pod_cidr;
    if (worker && !pods->text)
        return yaml_error(node->ref, err, "worker %s has no podCIDR; give it a network of %s",
                          node->name.text, s->pods_cidr.text);
    if (!pods->text)
        return 0;
    if (!worker)
        return yaml_error(pods->ref, err, "a controller runs no pods; leave podCIDR out");
    if (!cidr_contains(network(&s->pods_cidr), network(pods)))
        return yaml_error(pods->ref, err, "%s is outside the pods network %s", pods->text,
                          s->pods_cidr.text);
    if (network(pods).prefix > 29)
        return yaml_error(pods->ref, err, "%s is too small for a node; a /29 is the least",
                          pods->text);
    return 0;
}

static int check_unique(const struct spec_node *node, const struct spec_node *earlier,
                        struct error *err)
{
    if (strcmp(node->name.text, earlier->name.text) == 0)
        return yaml_error(node->name.ref, err, "the name '%s' stands on line %u already",
                          node->name.text, yaml_line(earlier->name.ref));
    if (strcmp(node->address.text, earlier->address.text) == 0)
        return yaml_error(node->address.ref, err, "the address %s is %s's already (line %u)",
                          node->address.text, earlier->name.text, yaml_line(earlier->address.ref));
    if (node->pod_cidr.text && earlier->pod_cidr.text &&
        cidr_overlaps(network(&node->pod_cidr), network(&earlier->pod_cidr)))
        return yaml_error(node->pod_cidr.ref, err, "%s overlaps %s, which is %s's (line %u)",
                          node->pod_cidr.text, earlier->pod_cidr.text, earlier->name.text,
                          yaml_line(earlier->pod_cidr.ref));
    return 0;
}

static int check_node(const struct spec *s, size_t i, struct error *err)
{
    const struct spec_node *node = &s->nodes[i];
    /* Targets on the command line are roles and nodes alike. */
    if (strcmp(node->name.text, "worker") == 0 || strcmp(node->name.text, "controller") == 0)
        return yaml_error(node->name.ref, err, "'%s' is the name of a role; name the node %s-0",
                          node->name.text, node->name.text);
    if (check_address(s, node, err) < 0 || check_pod_cidr(s, node, err) < 0)
        return -1;
    for (size_t j = 0; j < i; j++)
        if (check_unique(node, &s->nodes[j], err) < 0)
            return -1;
    if (strcmp(node->address.text, s->public_address.text) == 0)
        return yaml_error(node->address.ref, err,
                          "%s is publicAddress too; that one is the balancer's",
                          node->address.text);
    return 0;
}

int spec_check(const struct spec *spec, struct error *err)
{
    if (check_networks(spec, err) < 0)
        return -1;
    for (size_t i = 0; i < spec->node_count; i++)
        if (check_node(spec, i, err) < 0)
            return -1;
    return 0;
}
