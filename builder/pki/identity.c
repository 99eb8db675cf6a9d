#include "builder/pki/identity.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/names.h"

typedef void sans_filler(const struct cluster *cluster, const struct node *node, struct subject *s);

static void add_san(struct subject *s, bool is_ip, const char *value)
{
    s->sans = heap_grow(s->sans, s->san_count, &s->san_cap, sizeof *s->sans);
    s->sans[s->san_count++] = (struct san){is_ip, heap_copy(value)};
}

static void sans_of_node(const struct cluster *cluster, const struct node *node, struct subject *s)
{
    (void)cluster;
    add_san(s, false, node->name);
    add_san(s, true, node->address);
}

/* A row is one identity, or with `role` one for each node of that role; then the stem is the
 * node's name, and its name is appended to cn. */
static const struct row {
    const char *role, *stem, *cn, *o, *ou;
    bool ca, serves, kubeconfig;
    sans_filler *sans;
} rows[] = {
    {.stem = "ca", .cn = "Kubernetes", .o = "Kubernetes", .ou = "CA", .ca = true},
    {.role = "worker",
     .cn = NODE_CN,
     .o = "system:nodes",
     .serves = true,
     .kubeconfig = true,
     .sans = sans_of_node},
    {.stem = "kube-proxy",
     .cn = "system:kube-proxy",
     .o = "system:node-proxier",
     .kubeconfig = true},
};

static void add_identity(struct identity_list *list, const struct cluster *cluster,
                         const struct row *row, const struct node *node)
{
    list->items = heap_grow(list->items, list->count, &list->cap, sizeof *list->items);
    struct identity *id = &list->items[list->count++];
    id->stem = heap_copy(node ? node->name : row->stem);
    id->subject.cn = heap_printf("%s%s", row->cn, node ? node->name : "");
    id->subject.o = heap_copy(row->o);
    id->subject.ou = heap_copy(row->ou ? row->ou : "Kubernetes The Hard Way");
    id->subject.ca = row->ca;
    id->serves = row->serves;
    if (row->kubeconfig)
        id->server = heap_printf("https://%s:6443", cluster->public_address);
    if (row->sans)
        row->sans(cluster, node, &id->subject);
}

static int check_node(const struct cluster *cluster, const struct node *node, struct error *err)
{
    int result = pki_check_name(node->name, err);
    for (size_t i = 0; result == 0 && i < cluster->node_count; i++)
        if (&cluster->nodes[i] != node)
            result = pki_check_files(node->name, cluster->nodes[i].name, err);
    if (result < 0)
        return error_context(err, "%s:%u: node %s", cluster->file, node->line, node->name);
    return 0;
}

int identity_list_make(const struct cluster *cluster, struct identity_list *list, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        if (!row->role)
            add_identity(list, cluster, row, NULL);
        for (size_t j = 0; row->role && j < cluster->node_count; j++) {
            const struct node *node = &cluster->nodes[j];
            if (strcmp(node->role, row->role) != 0)
                continue;
            if (check_node(cluster, node, err) < 0)
                return -1;
            add_identity(list, cluster, row, node);
        }
    }
    return 0;
}

static void identity_free(struct identity *id)
{
    for (size_t i = 0; i < id->subject.san_count; i++)
        free(id->subject.sans[i].value);
    free(id->subject.sans);
    free(id->subject.cn);
    free(id->subject.o);
    free(id->subject.ou);
    free(id->stem);
    free(id->server);
}

void identity_list_free(struct identity_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        identity_free(&list->items[i]);
    free(list->items);
    *list = (struct identity_list){0};
}
