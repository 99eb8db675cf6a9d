#include "builder/plan/facts-choices.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/sans.h"
#include "builder/plan/node-facts.h"
#include "builder/plan/registry-config.h"

#define FLAG " \\\n  --"

static bool bootstraps(const struct plan_input *in)
{
    return in->cluster->identity == IDENTITY_BOOTSTRAP;
}

static bool gives_pod_networks(const struct plan_input *in)
{
    return in->cluster->settings.pod_networks == POD_NETWORKS_CONTROLLERS;
}

static bool runs_docker(const struct plan_input *in)
{
    return in->cluster->settings.runtime == RUNTIME_DOCKER;
}

void fact_runtime_unit(const struct plan_input *in, struct buffer *out)
{
    buffer_puts(out, runs_docker(in) ? "docker.service" : "containerd.service");
}

/* Older versions have a flag for it. */
void fact_kubelet_runtime(const struct plan_input *in, struct buffer *out)
{
    if (!runs_docker(in) && cluster_minor(in->cluster) >= 27)
        buffer_puts(out,
                    "\ncontainerRuntimeEndpoint: \"unix:///var/run/containerd/containerd.sock\"");
}

void fact_kubelet_runtime_flags(const struct plan_input *in, struct buffer *out)
{
    if (runs_docker(in))
        buffer_printf(out, "--container-runtime=docker" FLAG "pod-infra-container-image=%s",
                      in->release->sandbox_image);
    else
        buffer_puts(out, "--container-runtime=remote" FLAG "container-runtime-endpoint="
                         "unix:///var/run/containerd/containerd.sock");
    buffer_puts(out, FLAG "image-pull-progress-deadline=2m");
}

static const char *cloud(const struct plan_input *in)
{
    static const char *const words[] = {
        [CLOUD_NONE] = NULL, [CLOUD_AWS] = "aws", [CLOUD_EXTERNAL] = "external"};
    return words[in->cluster->settings.cloud_provider];
}

static void add_label(struct buffer *out, size_t *n, const char *key, const char *value)
{
    buffer_printf(out, "%s%s=%s", (*n)++ ? "," : FLAG "node-labels=", key, value);
}

/* A label of one node counts in the place of that of all. */
static bool node_has(const struct node *node, const char *key)
{
    for (size_t i = 0; node && i < node->label_count; i++)
        if (strcmp(node->labels[i].key, key) == 0)
            return true;
    return false;
}

/* Keys and values are checked to hold nothing that systemd or the flag would take apart. */
void fact_kubelet_choices(const struct plan_input *in, struct buffer *out)
{
    const struct settings *settings = &in->cluster->settings;
    const char *own = profile_value(in->profile, "NODE_LABELS");
    size_t n = 0;
    if (own && *own)
        buffer_printf(out, "%s%s", n++ ? "," : FLAG "node-labels=", own);
    for (size_t i = 0; i < settings->node_label_count; i++)
        if (!node_has(in->node, settings->node_labels[i].key))
            add_label(out, &n, settings->node_labels[i].key, settings->node_labels[i].value);
    for (size_t i = 0; in->node && i < in->node->label_count; i++)
        add_label(out, &n, in->node->labels[i].key, in->node->labels[i].value);
    if (cloud(in))
        buffer_printf(out, FLAG "cloud-provider=%s", cloud(in));
}

static bool is_named_by_cloud(const struct plan_input *in)
{
    return in->cluster->settings.cloud_provider == CLOUD_AWS;
}

void fact_api_node_name(const struct plan_input *in, struct buffer *out)
{
    buffer_puts(out, is_named_by_cloud(in) ? "@" FACT_CLOUD_NAME "@" : "@NODE_NAME@");
}

/* kube-proxy would look for a node that is called as its host. */
void fact_proxy_node_name(const struct plan_input *in, struct buffer *out)
{
    if (is_named_by_cloud(in))
        buffer_puts(out, "\nhostnameOverride: \"@" FACT_CLOUD_NAME "@\"");
}

static void front_proxy(const struct plan_input *in, struct buffer *out)
{
    const char *dir = profile_value(in->profile, "PKI_DIR");
    if (in->cluster->pki.layout == PKI_SHARED || !dir)
        return;
    buffer_printf(out,
                  FLAG "proxy-client-cert-file=%s/front-proxy-client.pem" FLAG
                       "proxy-client-key-file=%s/front-proxy-client-key.pem" FLAG
                       "requestheader-allowed-names=front-proxy-client" FLAG
                       "requestheader-client-ca-file=%s/%s.pem" FLAG
                       "requestheader-extra-headers-prefix=X-Remote-Extra-" FLAG
                       "requestheader-group-headers=X-Remote-Group" FLAG
                       "requestheader-username-headers=X-Remote-User",
                  dir, dir, dir, in->cluster->pki.own_cas ? "front-proxy-ca" : "ca");
}

void fact_api_server_flags(const struct plan_input *in, struct buffer *out)
{
    if (bootstraps(in))
        buffer_puts(out, FLAG "enable-bootstrap-token-auth=true");
    if (cloud(in))
        buffer_printf(out, FLAG "cloud-provider=%s", cloud(in));
    front_proxy(in, out);
}

void fact_controller_flags(const struct plan_input *in, struct buffer *out)
{
    if (bootstraps(in)) /* which is off by default: it takes expired tokens away */
        buffer_puts(out, FLAG "controllers=*,tokencleaner");
    if (gives_pod_networks(in))
        buffer_puts(out, FLAG "allocate-node-cidrs=true" FLAG "configure-cloud-routes=false");
    if (cloud(in))
        buffer_printf(out, FLAG "cloud-provider=%s", cloud(in));
}

/* containerd makes the bridge's configuration once the kubelet has told it the node's network. */
void fact_cni_template(const struct plan_input *in, struct buffer *out)
{
    if (in->cluster->settings.cni == CNI_BRIDGE && gives_pod_networks(in))
        buffer_puts(out, "\n    conf_template = \"" PATH_HOME "/cni-bridge.conflist\"");
}

/* docker knows mirrors of its own registry only; see part-registries.c. */
void fact_docker_mirrors(const struct plan_input *in, struct buffer *out)
{
    const struct settings *settings = &in->cluster->settings;
    for (size_t i = 0; i < settings->registry_count; i++) {
        const struct texts *mirrors = &settings->registries[i].mirrors;
        for (size_t j = 0; j < mirrors->count; j++)
            buffer_printf(out, "%s\"%s\"", j ? ", " : ",\n  \"registry-mirrors\": [",
                          mirrors->items[j]);
        if (mirrors->count)
            buffer_puts(out, "]");
    }
}

static void add_line(struct buffer *out, const char *text)
{
    buffer_printf(out, "%s%s", out->len ? "\n" : "", text);
}

void fact_api_names(const struct plan_input *in, struct buffer *out)
{
    struct subject names = {0};
    sans_of_api_server(in->cluster, NULL, &names);
    for (size_t i = 0; i < names.san_count; i++) {
        add_line(out, names.sans[i].value);
        free(names.sans[i].value);
    }
    free(names.sans);
}
