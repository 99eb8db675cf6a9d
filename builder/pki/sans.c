#include "builder/pki/sans.h"

#include <string.h>

#include "builder/heap.h"
#include "common/address.h"

static void add_san(struct subject *s, const char *value)
{
    uint32_t ignored;
    for (size_t i = 0; i < s->san_count; i++)
        if (strcmp(s->sans[i].value, value) == 0)
            return;
    *APPEND(s->sans, s->san_count, s->san_cap) =
        (struct san){ipv4_parse(value, &ignored), heap_copy(value)};
}

void sans_of_node(const struct cluster *cluster, const struct node *node, struct subject *s)
{
    (void)cluster;
    add_san(s, node->name);
    add_san(s, node->address);
}

static void add_controllers(const struct cluster *cluster, struct subject *s)
{
    for (size_t i = 0; i < cluster->node_count; i++)
        if (strcmp(cluster->nodes[i].role, "controller") == 0)
            add_san(s, cluster->nodes[i].address);
    for (size_t i = 0; i < cluster->node_count; i++)
        if (strcmp(cluster->nodes[i].role, "controller") == 0)
            add_san(s, cluster->nodes[i].name);
}

/* The document's list has kubernetes.svc.cluster.local, which nobody asks for, and lacks the
 * service's full name, which is what is in the pods' resolver. */
void sans_of_api_server(const struct cluster *cluster, const struct node *node, struct subject *s)
{
    static const char *const names[] = {
        "127.0.0.1",
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster",
        "kubernetes.svc.cluster.local",
    };
    char service[16];
    (void)node;
    cluster_api_service_address(cluster, service);
    add_san(s, service);
    add_controllers(cluster, s);
    add_san(s, cluster->public_address);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        add_san(s, names[i]);
    char *full AUTO_FREE = heap_printf("kubernetes.default.svc.%s", cluster->domain);
    add_san(s, full);
    for (size_t i = 0; i < cluster->pki.names.count; i++)
        add_san(s, cluster->pki.names.items[i]);
}

void sans_of_etcd(const struct cluster *cluster, const struct node *node, struct subject *s)
{
    (void)node;
    add_controllers(cluster, s);
    add_san(s, "127.0.0.1");
    add_san(s, "localhost");
}
