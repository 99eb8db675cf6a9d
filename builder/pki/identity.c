#include "builder/pki/identity.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/names.h"
#include "builder/pki/sans.h"

enum { SHARED = 1 << PKI_SHARED, SEPARATE = 1 << PKI_SEPARATE, ALL = SHARED | SEPARATE };

/* A row is one identity, or with `role` one for each node of that role; then the stem is the
 * node's name, and its name is appended to cn. Without `o` it is the user's organization. In the
 * shared layout all certificates serve both sides, as those of the document. */
static const struct row {
    unsigned layouts;
    const char *role, *stem, *cn, *o, *issuer;
    bool ca, own_cas; /* own_cas: only if etcd and the front proxy have CAs of their own */
    unsigned usages;  /* in the separate layout */
    sans_filler *sans;
    bool closed;
} rows[] = {
    {ALL, .stem = "ca", .cn = "Kubernetes", .ca = true},
    {SEPARATE, .stem = "etcd-ca", .cn = "etcd-ca", .ca = true, .own_cas = true},
    {SEPARATE, .stem = "front-proxy-ca", .cn = "front-proxy-ca", .ca = true, .own_cas = true},
    {ALL, .stem = "admin", .cn = "admin", .o = "system:masters", .usages = USAGE_CLIENT},
    {ALL, .role = "worker", .cn = NODE_CN, .o = "system:nodes",
     .usages = USAGE_SERVER | USAGE_CLIENT, .sans = sans_of_node},
    {ALL, .stem = "kube-controller-manager", .cn = "system:kube-controller-manager",
     .o = "system:kube-controller-manager", .usages = USAGE_CLIENT},
    {ALL, .stem = "kube-proxy", .cn = "system:kube-proxy", .o = "system:node-proxier",
     .usages = USAGE_CLIENT},
    {ALL, .stem = "kube-scheduler", .cn = "system:kube-scheduler", .o = "system:kube-scheduler",
     .usages = USAGE_CLIENT},
    {SHARED, .stem = "kubernetes", .cn = "kubernetes", .sans = sans_of_api_server, .closed = true},
    {SEPARATE, .stem = "kube-apiserver", .cn = "kube-apiserver", .usages = USAGE_SERVER,
     .sans = sans_of_api_server, .closed = true},
    /* The name that kubelets' authorization is bound to in both layouts. */
    {SEPARATE, .stem = "kube-apiserver-kubelet-client", .cn = "kubernetes", .usages = USAGE_CLIENT},
    {SEPARATE, .stem = "etcd-server", .cn = "etcd-server", .issuer = "etcd-ca",
     .usages = USAGE_SERVER | USAGE_CLIENT, .sans = sans_of_etcd, .closed = true},
    {SEPARATE, .stem = "etcd-peer", .cn = "etcd-peer", .issuer = "etcd-ca",
     .usages = USAGE_SERVER | USAGE_CLIENT, .sans = sans_of_etcd, .closed = true},
    {SEPARATE, .stem = "kube-apiserver-etcd-client", .cn = "kube-apiserver-etcd-client",
     .issuer = "etcd-ca", .usages = USAGE_CLIENT},
    {SEPARATE, .stem = "front-proxy-client", .cn = "front-proxy-client", .issuer = "front-proxy-ca",
     .usages = USAGE_CLIENT},
    {ALL, .stem = "service-account", .cn = "service-accounts", .usages = USAGE_CLIENT},
};

static char *or_default(const char *given, const char *by_default)
{
    return heap_copy(given ? given : by_default);
}

static struct subject subject_of(const struct row *row, const struct pki_settings *pki,
                                 const char *node)
{
    const struct pki_subject *s = &pki->subject;
    unsigned both = USAGE_SERVER | USAGE_CLIENT;
    return (struct subject){
        .cn = heap_printf("%s%s", row->cn, node),
        .o = row->o ? heap_copy(row->o) : or_default(s->organization, "Kubernetes"),
        .ou = row->ca ? heap_copy("CA") : or_default(s->unit, "Kubernetes The Hard Way"),
        .country = or_default(s->country, "US"),
        .state = or_default(s->state, "Oregon"),
        .locality = or_default(s->locality, "Portland"),
        .ca = row->ca,
        .usages = row->ca                     ? 0
                  : pki->layout == PKI_SHARED ? both
                                              : row->usages,
        .hours = pki_validity(pki, row->ca),
    };
}

static size_t issuer_of(const struct identity_list *list, const struct row *row, size_t own)
{
    const struct identity *issuer = row->issuer ? identity_find(list, row->issuer) : NULL;
    if (row->ca)
        return own;
    return issuer ? (size_t)(issuer - list->items) : 0;
}

static void add_identity(struct identity_list *list, const struct cluster *cluster,
                         const struct row *row, const struct node *node)
{
    struct identity *id = APPEND(list->items, list->count, list->cap);
    id->stem = heap_copy(node ? node->name : row->stem);
    id->subject = subject_of(row, &cluster->pki, node ? node->name : "");
    id->asked = &cluster->pki.subject;
    id->closed = row->closed;
    id->issuer = issuer_of(list, row, list->count - 1);
    list->ca_count += row->ca;
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

static int add_nodes(struct identity_list *list, const struct cluster *cluster,
                     const struct row *row, struct error *err)
{
    for (size_t i = 0; i < cluster->node_count; i++) {
        const struct node *node = &cluster->nodes[i];
        if (strcmp(node->role, row->role) != 0 || cluster->identity == IDENTITY_BOOTSTRAP)
            continue; /* who asks for his certificate has none here */
        if (check_node(cluster, node, err) < 0)
            return -1;
        add_identity(list, cluster, row, node);
    }
    return 0;
}

int identity_list_make(const struct cluster *cluster, struct identity_list *list, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        if (!(row->layouts & 1U << cluster->pki.layout) || (row->own_cas && !cluster->pki.own_cas))
            continue;
        if (!row->role)
            add_identity(list, cluster, row, NULL);
        else if (add_nodes(list, cluster, row, err) < 0)
            return -1;
    }
    return 0;
}

const struct identity *identity_find(const struct identity_list *list, const char *stem)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].stem, stem) == 0)
            return &list->items[i];
    return NULL;
}

static void identity_free(struct identity *id)
{
    struct subject *s = &id->subject;
    char *parts[] = {s->cn, s->o, s->ou, s->country, s->state, s->locality, id->stem};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        free(parts[i]);
    for (size_t i = 0; i < s->san_count; i++)
        free(s->sans[i].value);
    free(s->sans);
}

void identity_list_free(struct identity_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        identity_free(&list->items[i]);
    free(list->items);
    *list = (struct identity_list){0};
}
