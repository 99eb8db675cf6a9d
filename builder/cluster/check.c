/* How the values of cluster.yaml go together. What has been refused is not compared with others:
 * one wrong network would make all its nodes wrong. */
#include <string.h>

#include "builder/cluster/spec.h"
#include "builder/pki/names.h"
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

/* Addresses that no machine of a cluster can have. */
static const struct {
    struct cidr range;
    const char *use;
} special[] = {
    {{0x00000000, 8}, "0.0.0.0/8, which means \"this network\""},
    {{0x7f000000, 8}, "127.0.0.0/8, every machine's own"},
    {{0xa9fe0000, 16}, "169.254.0.0/16, where metadata services are"},
    {{0xe0000000, 3}, "224.0.0.0/3, multicast and reserved"},
};

static void refuse_range(struct spot *spot, struct cidr range)
{
    for (size_t i = 0; spot->text && i < ARRAY_LEN(special); i++) {
        if (!cidr_overlaps(range, special[i].range))
            continue;
        yaml_problem(spot->ref, "%s has addresses of %s; choose another", spot->text,
                     special[i].use);
        spot->text = NULL;
    }
}

static void refuse_overlap(const struct spot *a, const char *a_name, struct spot *b,
                           const char *b_name)
{
    if (!a->text || !b->text || !cidr_overlaps(network(a), network(b)))
        return;
    yaml_problem(b->ref, "%s network %s overlaps the %s network %s; choose another", b_name,
                 b->text, a_name, a->text);
    b->text = NULL;
}

static void refuse_networks(struct spec *s)
{
    struct spot *networks[] = {&s->nodes_cidr, &s->pods_cidr, &s->services_cidr};
    for (size_t i = 0; i < ARRAY_LEN(networks); i++)
        if (networks[i]->text)
            refuse_range(networks[i], network(networks[i]));
    refuse_overlap(&s->nodes_cidr, "nodes", &s->pods_cidr, "pods");
    refuse_overlap(&s->nodes_cidr, "nodes", &s->services_cidr, "services");
    refuse_overlap(&s->pods_cidr, "pods", &s->services_cidr, "services");
    unsigned prefix = s->services_cidr.text ? network(&s->services_cidr).prefix : 28;
    if (prefix >= 12 && prefix <= 28)
        return;
    yaml_problem(s->services_cidr.ref, "the services network must be a /12 to a /28, not a /%u",
                 prefix);
    s->services_cidr.text = NULL;
}

static void check_dns(const struct spec *s)
{
    if (!s->services_cidr.text || !s->dns.text)
        return;
    struct cidr services = network(&s->services_cidr), dns = host(&s->dns);
    if (!cidr_contains(services, dns))
        yaml_problem(s->dns.ref, "%s is outside the services network %s", s->dns.text,
                     s->services_cidr.text);
    else if (dns.address - services.address < 2)
        yaml_problem(s->dns.ref,
                     "%s is the services network's first address, which the API server's own "
                     "service takes; choose a later one",
                     s->dns.text);
}

static bool lies_in(const struct spot *network_spot, const struct spot *address)
{
    return network_spot->text && cidr_contains(network(network_spot), host(address));
}

static void check_public(const struct spec *s)
{
    const struct spot *public = &s->public_address;
    if (public->text && (lies_in(&s->services_cidr, public) || lies_in(&s->pods_cidr, public)))
        yaml_problem(public->ref,
                     "%s lies in the pods or services network; it is the balancer's address",
                     public->text);
}

static void check_address(const struct spec *s, const struct spot *spot)
{
    if (spot->text && s->public_address.text && strcmp(spot->text, s->public_address.text) == 0)
        yaml_problem(spot->ref, "%s is publicAddress too; that one is the balancer's", spot->text);
    if (!spot->text || !s->nodes_cidr.text)
        return;
    struct cidr nodes = network(&s->nodes_cidr), address = host(spot);
    uint32_t broadcast = nodes.address | (uint32_t)(UINT64_C(0xffffffff) >> nodes.prefix);
    if (!cidr_contains(nodes, address))
        yaml_problem(spot->ref, "%s is outside the nodes network %s", spot->text,
                     s->nodes_cidr.text);
    else if (nodes.prefix < 31 &&
             (address.address == nodes.address || address.address == broadcast))
        yaml_problem(spot->ref, "%s is the network's own or broadcast address; choose one between",
                     spot->text);
}

static bool is_worker(const struct spec_node *node)
{
    return node->role.text && strcmp(node->role.text, "worker") == 0;
}

static void check_pod_cidr(const struct spec *s, const struct spec_node *node)
{
    const struct spot *pods = &node->pod_cidr;
    bool given = pods->ref.file, worker = is_worker(node);
    if (worker && given && spec_gives_pod_networks(s))
        yaml_problem(pods->ref, "the controllers give out pod networks; leave podCIDR out, or take "
                                "`podNetworks: metadata`");
    if (worker && !given && !spec_gives_pod_networks(s))
        yaml_problem(node->ref, "a worker needs a podCIDR, its part of the pods network");
    if (node->role.text && !worker && given)
        yaml_problem(pods->ref, "a controller runs no pods; leave podCIDR out");
    if (!worker || !pods->text)
        return;
    if (s->pods_cidr.text && !cidr_contains(network(&s->pods_cidr), network(pods)))
        yaml_problem(pods->ref, "%s is outside the pods network %s", pods->text, s->pods_cidr.text);
    if (network(pods).prefix > 29)
        yaml_problem(pods->ref, "%s is too small for a node; a /29 is the least", pods->text);
}

/* A worker's files in the pki folder must be nobody else's. */
static void check_files(const struct spec *s, const struct spec_node *node)
{
    struct error cause = ERROR_INIT;
    int result = pki_check_name(node->name.text, &cause);
    for (size_t i = 0; result == 0 && i < s->node_count; i++) {
        const char *other = s->nodes[i].name.text;
        if (other && strcmp(other, node->name.text) != 0)
            result = pki_check_files(node->name.text, other, &cause);
    }
    if (result < 0)
        yaml_problem(node->name.ref, "%s", cause.text);
}

static void check_name(const struct spec *s, const struct spec_node *node)
{
    const struct spot *name = &node->name;
    /* Targets on the command line are roles and nodes alike. */
    if (name->text && (strcmp(name->text, "worker") == 0 || strcmp(name->text, "controller") == 0))
        yaml_problem(name->ref, "'%s' is the name of a role; name the node %s-0", name->text,
                     name->text);
    else if (name->text && is_worker(node))
        check_files(s, node);
}

static bool same_text(const struct spot *a, const struct spot *b)
{
    return a->text && b->text && strcmp(a->text, b->text) == 0;
}

static bool share_addresses(const struct spot *a, const struct spot *b)
{
    return a->text && b->text && cidr_overlaps(network(a), network(b));
}

/* What an earlier node has already; of several such nodes the first is named. */
static void check_unique(const struct spec *s, size_t i)
{
    const struct spec_node *node = &s->nodes[i], *name = NULL, *address = NULL, *pods = NULL;
    while (i--) {
        const struct spec_node *earlier = &s->nodes[i];
        if (same_text(&earlier->name, &node->name))
            name = earlier;
        if (same_text(&earlier->address, &node->address))
            address = earlier;
        if (share_addresses(&earlier->pod_cidr, &node->pod_cidr))
            pods = earlier;
    }
    if (name)
        yaml_problem(node->name.ref, "the name '%s' stands on line %u already", node->name.text,
                     yaml_line(name->name.ref));
    if (address)
        yaml_problem(node->address.ref, "the address %s stands on line %u already",
                     node->address.text, yaml_line(address->address.ref));
    if (pods)
        yaml_problem(node->pod_cidr.ref, "%s overlaps %s of line %u", node->pod_cidr.text,
                     pods->pod_cidr.text, yaml_line(pods->pod_cidr.ref));
}

/* That runtime's shim knows cgroup v1 only. */
static void check_runtime(const struct spec *s)
{
    const struct settings *settings = &s->settings;
    if (settings->containerd_runtime &&
        strcmp(settings->containerd_runtime, "io.containerd.runtime.v1.linux") == 0 &&
        settings->cgroups != CGROUPS_V1)
        yaml_problem(s->runtime_ref, "%s needs `cgroups: v1`", settings->containerd_runtime);
}

/* Which of the two a package comes from would be a guess. */
static void check_packages(const struct spec *s)
{
    if (s->settings.repositories && s->debs.text)
        yaml_problem(s->debs.ref, "packages come from this folder or from the base's repositories; "
                                  "give `debs` or `repositories: true`");
}

void spec_check(const struct spec *spec)
{
    struct spec good = *spec; /* its texts are the spec's */
    refuse_networks(&good);
    if (good.public_address.text)
        refuse_range(&good.public_address, host(&good.public_address));
    check_dns(&good);
    check_public(&good);
    check_runtime(&good);
    check_packages(&good);
    spec_check_choices(&good);
    for (size_t i = 0; i < good.node_count; i++) {
        const struct spec_node *node = &good.nodes[i];
        check_name(&good, node);
        check_address(&good, &node->address);
        check_pod_cidr(&good, node);
        check_unique(&good, i);
    }
}
