/* The cluster file: it is read, or every problem has a place and can be shown. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cluster/cluster.h"
#include "builder/yaml/utf8.h"
#include "common/address.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void require_problems(const struct problems *problems)
{
    require(problems->count > 0 && problems->count <= PROBLEMS_MAX);
    require(!problems->more || problems->count == PROBLEMS_MAX);
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *p = &problems->items[i], *before = i ? p - 1 : p;
        char text[ERROR_TEXT_MAX];
        require(p->line && p->column && *p->text && strlen(p->text) < sizeof text);
        require(before->line < p->line || (before->line == p->line && before->column <= p->column));
        memcpy(text, p->text, strlen(p->text) + 1);
        utf8_printable(text);
        require(strcmp(text, p->text) == 0);
    }
}

static void require_node(const struct cluster *c, const struct node *node)
{
    struct cidr nodes, pods, own = {.prefix = 32}, own_pods;
    require(dns_label_valid(node->name) && cluster_node(c, node->name) == node);
    require(cidr_parse(c->nodes_cidr, &nodes) && ipv4_parse(node->address, &own.address));
    require(cidr_contains(nodes, own) && strcmp(node->address, c->public_address) != 0);
    require((strcmp(node->role, "worker") == 0) == (node->pod_cidr != NULL));
    if (node->pod_cidr)
        require(cidr_parse(c->pods_cidr, &pods) && cidr_parse(node->pod_cidr, &own_pods) &&
                cidr_contains(pods, own_pods));
}

static void require_cluster(const struct cluster *c)
{
    char api[16];
    uint32_t address;
    cluster_api_service_address(c, api);
    require(ipv4_parse(api, &address) && strcmp(api, c->dns_address) != 0);
    require(dns_label_valid(c->name) && dns_label_valid(c->profile) && dns_name_valid(c->domain));
    require(*c->image && *c->artifacts && *c->kubernetes);
    require(c->node_count > 0 && c->node_count <= CLUSTER_NODES_MAX && c->source_count > 0);
    for (size_t i = 0; i < c->node_count; i++)
        require_node(c, &c->nodes[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cluster_needs none;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    struct cluster *cluster AUTO_CLUSTER = NULL;
    char *text = exact_copy(data, size);
    int result = cluster_parse("f", text, size, none, &cluster, &problems, &err);
    free(text);
    require((result == 0) == (cluster != NULL) && (result < 0) == (err.text[0] != '\0'));
    if (cluster)
        require_cluster(cluster);
    else
        require_problems(&problems);
    return 0;
}
