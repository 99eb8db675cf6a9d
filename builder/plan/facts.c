#include "builder/plan/facts.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/facts-choices.h"
#include "builder/plan/node-facts.h"
#include "builder/plan/registry-config.h"
#include "builder/plan/resolver.h"

enum { JOURNAL_MIB = 500 };

static void sandbox_image(const struct plan_input *in, struct buffer *out)
{
    buffer_puts(out, in->release->sandbox_image);
}

/* One fact drives kubelet and containerd: they must agree. systemd is the driver that works with
 * both cgroup versions on a system that systemd runs. */
static void cgroup_driver(const struct plan_input *in, struct buffer *out)
{
    (void)in;
    buffer_puts(out, "systemd");
}

static void systemd_cgroup(const struct plan_input *in, struct buffer *out)
{
    struct buffer driver AUTO_BUFFER = buffer_heap();
    cgroup_driver(in, &driver);
    buffer_puts(out, strcmp(driver.data, "systemd") == 0 ? "true" : "false");
}

/* resolved's own file on an image that has it; its stub 127.0.0.53 would be no use to a pod. */
static void resolv_conf(const struct plan_input *in, struct buffer *out)
{
    enum resolver resolver = in->base ? resolver_of(in) : RESOLVER_FILE;
    bool resolved = resolver == RESOLVER_RESOLVED || resolver == RESOLVER_START;
    buffer_puts(out, resolved ? "/run/systemd/resolve/resolv.conf" : "/etc/resolv.conf");
}

static bool is_controller(const struct node *node)
{
    return strcmp(node->role, "controller") == 0;
}

static void controller_count(const struct plan_input *in, struct buffer *out)
{
    size_t n = 0;
    for (size_t i = 0; i < in->cluster->node_count; i++)
        n += is_controller(&in->cluster->nodes[i]);
    buffer_printf(out, "%zu", n);
}

/* Members are called by what is known of a machine before it is launched. */
static void etcd_initial_cluster(const struct plan_input *in, struct buffer *out)
{
    const char *name = profile_value(in->profile, "ETCD_NAME");
    bool by_address = name && strcmp(name, "@INTERNAL_IP@") == 0;
    for (size_t i = 0; i < in->cluster->node_count; i++) {
        const struct node *node = &in->cluster->nodes[i];
        if (is_controller(node))
            buffer_printf(out, "%s%s=https://%s:2380", out->len ? "," : "",
                          by_address ? node->address : node->name, node->address);
    }
}

static void etcd_servers(const struct plan_input *in, struct buffer *out)
{
    for (size_t i = 0; i < in->cluster->node_count; i++)
        if (is_controller(&in->cluster->nodes[i]))
            buffer_printf(out, "%shttps://%s:2379", out->len ? "," : "",
                          in->cluster->nodes[i].address);
}

/* Of several lines: the pod networks of the workers. */
static void pod_table(const struct plan_input *in, struct buffer *out)
{
    for (size_t i = 0; i < in->cluster->node_count; i++) {
        const struct node *node = &in->cluster->nodes[i];
        if (node->pod_cidr)
            buffer_printf(out, "%s%s %s", out->len ? "\n" : "", node->name, node->pod_cidr);
    }
}

static void coredns_image(const struct plan_input *in, struct buffer *out)
{
    (void)in;
    buffer_puts(out, "coredns/coredns:1.8.3");
}

/* The stem of one of the certificates that are one in the shared layout. */
static void certificate(const struct plan_input *in, const char *stem, struct buffer *out)
{
    buffer_puts(out, in->cluster->pki.layout == PKI_SHARED ? "kubernetes" : stem);
}

static void api_server(const struct plan_input *in, struct buffer *out)
{
    certificate(in, "kube-apiserver", out);
}

static void etcd_client(const struct plan_input *in, struct buffer *out)
{
    certificate(in, "kube-apiserver-etcd-client", out);
}

static void kubelet_client(const struct plan_input *in, struct buffer *out)
{
    certificate(in, "kube-apiserver-kubelet-client", out);
}

static void etcd_server(const struct plan_input *in, struct buffer *out)
{
    certificate(in, "etcd-server", out);
}

static void etcd_peer(const struct plan_input *in, struct buffer *out)
{
    certificate(in, "etcd-peer", out);
}

static void etcd_ca(const struct plan_input *in, struct buffer *out)
{
    buffer_puts(out, in->cluster->pki.own_cas ? "etcd-ca" : "ca");
}

/* The version of the scheduler's configuration that the release takes: v1beta1 went in 1.23,
 * v1beta2 in 1.28, and v1 came in 1.25. */
static void scheduler_api(const struct plan_input *in, struct buffer *out)
{
    unsigned minor = cluster_minor(in->cluster);
    buffer_printf(out, "kubescheduler.config.k8s.io/%s",
                  minor < 23   ? "v1beta1"
                  : minor < 25 ? "v1beta2"
                               : "v1");
}

/* Of several lines. */
static void containerd_registries(const struct plan_input *in, struct buffer *out)
{
    registry_config(&in->cluster->settings, registry_has_hosts_files(in->release), out);
}

/* As journald.conf(5) takes it: bytes, or MiB with an M. */
static void journal_size(const struct plan_input *in, struct buffer *out)
{
    const uint64_t mib = 1 << 20, given = in->cluster->settings.journal_size;
    uint64_t bytes = given ? given : JOURNAL_MIB * mib;
    if (bytes % mib)
        buffer_printf(out, "%llu", (unsigned long long)bytes);
    else
        buffer_printf(out, "%lluM", (unsigned long long)(bytes / mib));
}

/* A fact is a text of the cluster (at an offset of the struct), or worked out by a function. */
static const struct {
    const char *name;
    size_t text;
    fact_value *value; /* NULL: the text */
} table[] = {
    {"CLUSTER_NAME", offsetof(struct cluster, name), NULL},
    {"KUBERNETES_VERSION", offsetof(struct cluster, kubernetes), NULL},
    {"PUBLIC_ADDRESS", offsetof(struct cluster, public_address), NULL},
    {"NODE_NETWORK", offsetof(struct cluster, nodes_cidr), NULL},
    {"POD_NETWORK", offsetof(struct cluster, pods_cidr), NULL},
    {"SERVICE_NETWORK", offsetof(struct cluster, services_cidr), NULL},
    {"CLUSTER_DNS", offsetof(struct cluster, dns_address), NULL},
    {"CLUSTER_DOMAIN", offsetof(struct cluster, domain), NULL},
    {"SANDBOX_IMAGE", 0, sandbox_image},
    {"CGROUP_DRIVER", 0, cgroup_driver},
    {"SYSTEMD_CGROUP", 0, systemd_cgroup},
    {"RESOLV_CONF", 0, resolv_conf},
    {"RUNTIME_UNIT", 0, fact_runtime_unit},
    {"KUBELET_RUNTIME", 0, fact_kubelet_runtime},
    {"KUBELET_RUNTIME_FLAGS", 0, fact_kubelet_runtime_flags},
    {"CNI_TEMPLATE", 0, fact_cni_template},
    {"DOCKER_MIRRORS", 0, fact_docker_mirrors},
    {"JOURNAL_SIZE", 0, journal_size},
    {"REGISTRY_CONFIG", 0, containerd_registries},
    {"CONTROLLER_COUNT", 0, controller_count},
    {"ETCD_INITIAL_CLUSTER", 0, etcd_initial_cluster},
    {"ETCD_SERVERS", 0, etcd_servers},
    {"ETCD_SERVER", 0, etcd_server},
    {"ETCD_PEER", 0, etcd_peer},
    {"ETCD_CA", 0, etcd_ca},
    {"ETCD_CLIENT", 0, etcd_client},
    {"API_SERVER", 0, api_server},
    {"KUBELET_CLIENT", 0, kubelet_client},
    {"API_NAMES", 0, fact_api_names},
    {"API_SERVER_FLAGS", 0, fact_api_server_flags},
    {"CONTROLLER_MANAGER_FLAGS", 0, fact_controller_flags},
    {"SCHEDULER_API", 0, scheduler_api},
    {"POD_TABLE", 0, pod_table},
    {"COREDNS_IMAGE", 0, coredns_image},
};

/* What may hold facts of the node. */
static const struct {
    const char *name;
    fact_value *text;
} texts[] = {
    {"KUBELET_CHOICES", fact_kubelet_choices},
    {"API_NODE_NAME", fact_api_node_name},
    {"PROXY_NODE_NAME", fact_proxy_node_name},
};

static size_t find_choice(const char *name)
{
    size_t i = 0;
    while (i < ARRAY_LEN(texts) && strcmp(texts[i].name, name) != 0)
        i++;
    return i;
}

static void work_out(const struct plan_input *in, size_t row, struct buffer *out)
{
    if (table[row].value)
        table[row].value(in, out);
    else
        buffer_puts(out, *(char *const *)((const char *)in->cluster + table[row].text));
}

struct facts {
    const struct plan_input *in;
    bool *used;
    struct buffer values[ARRAY_LEN(table)];
};

struct facts *facts_create(const struct plan_input *in, bool *used)
{
    struct facts *facts = heap_array(1, sizeof *facts);
    facts->in = in;
    facts->used = used;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        facts->values[i] = buffer_heap();
        work_out(in, i, &facts->values[i]);
    }
    return facts;
}

/* A text that may hold facts itself: a value of the profile, or the one that choices make. The
 * caller frees it; NULL: the name is that of none. */
static char *find_text(const struct facts *facts, const char *name)
{
    const char *value = profile_value(facts->in->profile, name);
    if (value)
        return heap_copy(value);
    size_t i = find_choice(name);
    if (i == ARRAY_LEN(texts))
        return NULL;
    struct buffer text = buffer_heap();
    buffer_puts(&text, "");
    texts[i].text(facts->in, &text);
    return text.data;
}

void facts_expand(struct facts *facts, const struct buffer *text, struct buffer *out)
{
    const char *at = text->len ? text->data : "", *end = at + text->len;
    while (at < end) {
        size_t n = (size_t)(at[0] == '@') + strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        bool name = at[0] == '@' && n > 1 && at[n] == '@';
        char *value AUTO_FREE = NULL;
        char *word AUTO_FREE = name ? heap_printf("%.*s", (int)(n - 1), at + 1) : NULL;
        size_t len = name ? n + 1 : at[0] == '@' && at[1] == '@' ? 2 : 1;
        if (name && (value = find_text(facts, word)))
            buffer_puts(out, value);
        else
            buffer_add(out, at, len);
        at += len;
    }
}

static size_t find_row(const char *name)
{
    size_t i = 0;
    while (i < ARRAY_LEN(table) && strcmp(table[i].name, name) != 0)
        i++;
    return i;
}

bool facts_builder_has(const char *name)
{
    return find_row(name) < ARRAY_LEN(table) || node_fact_reserved(name) ||
           find_choice(name) < ARRAY_LEN(texts);
}

enum template_answer facts_lookup(void *ctx, const char *name, const char **value)
{
    struct facts *facts = ctx;
    size_t row = find_row(name);
    if (row < ARRAY_LEN(table)) {
        *value = facts->values[row].data;
        return TEMPLATE_VALUE;
    }
    size_t fact = node_fact_index(facts->in, name);
    if (fact == node_fact_count(facts->in) ||
        node_fact_at(facts->in, fact)->type == VALUE_BUNDLE) /* that is for no template */
        return TEMPLATE_UNKNOWN;
    facts->used[fact] = true;
    return TEMPLATE_LATER;
}

void facts_free(struct facts *facts)
{
    if (!facts)
        return;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        buffer_free(&facts->values[i]);
    free(facts);
}

void facts_free_at(struct facts **facts)
{
    facts_free(*facts);
}
