/* Which choices go together, and with the version. */
#include <stdio.h>
#include <string.h>

#include "builder/cluster/spec.h"
#include "common/address.h"

enum {
    LAST_DOCKERSHIM = 23, /* Kubernetes 1.N */
    LAST_CLOUD_AWS = 26,
    NODE_PREFIX = 24 /* of a pod network that the controller manager gives out */
};

static unsigned minor_of(const struct spec *s)
{
    unsigned minor = 0;
    if (s->kubernetes.text)
        sscanf(s->kubernetes.text, "1.%u", &minor);
    return minor;
}

static void check_docker(const struct spec *s)
{
    const struct settings *settings = &s->settings;
    if (settings->runtime != RUNTIME_DOCKER)
        return;
    if (minor_of(s) > LAST_DOCKERSHIM)
        yaml_problem(s->container_runtime_ref,
                     "Kubernetes %s has no dockershim (it went in 1.24); take containerd",
                     s->kubernetes.text);
    if (settings->containerd_runtime)
        yaml_problem(s->runtime_ref,
                     "docker is not configured by `containerdRuntime`; leave it out");
    for (size_t i = 0; i < settings->registry_count; i++) {
        const struct registry *r = &settings->registries[i];
        if (strcmp(r->host, "docker.io") != 0 || r->ca)
            yaml_problem(s->container_runtime_ref,
                         "docker takes mirrors of docker.io only, and no `ca` (registries: %s): "
                         "use `trustedCAs`, or take containerd",
                         r->host);
    }
}

static void check_cloud(const struct spec *s)
{
    if (s->settings.cloud_provider != CLOUD_AWS)
        return;
    if (minor_of(s) > LAST_CLOUD_AWS)
        yaml_problem(s->cloud_provider_ref,
                     "Kubernetes %s does not know AWS any more (it went in 1.27); take `external`",
                     s->kubernetes.text);
    for (size_t i = 0; i < s->source_count; i++)
        if (s->sources[i].text && strcmp(s->sources[i].text, "aws") != 0)
            yaml_problem(s->sources[i].ref,
                         "with `cloudProvider: aws` machines are AWS's, and get their names there; "
                         "write `metadata: [aws]`");
    if (s->identity.text && strcmp(s->identity.text, "bootstrap") != 0)
        yaml_problem(s->cloud_provider_ref,
                     "with it a node's name is AWS's private DNS name, and no certificate of "
                     "nodebake's is for that; take `identity: bootstrap`");
}

/* The kubelet's labels stand in the image. */
static void check_labels(const struct spec *s)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (s->nodes[i].label_count && s->nodes[i].role.text &&
            strcmp(s->nodes[i].role.text, "controller") == 0)
            yaml_problem(s->nodes[i].labels[0].key.ref,
                         "a controller runs no kubelet, and is no node that could have labels");
    const char *identity = s->identity.text;
    if (!identity || identity_of_word(identity) == IDENTITY_IMAGE)
        return;
    for (size_t i = 0; i < s->node_count; i++) {
        const struct spec_node *node = &s->nodes[i];
        if (node->label_count && node->role.text && strcmp(node->role.text, "worker") == 0)
            yaml_problem(node->labels[0].key.ref,
                         "with `identity: %s` all workers have one image, and labels stand in it; "
                         "use `nodeLabels`%s",
                         identity,
                         identity_of_word(identity) == IDENTITY_METADATA
                             ? ", or take `identity: image`"
                             : "");
    }
}

static void check_cni(const struct spec *s)
{
    const struct settings *settings = &s->settings;
    if (settings->cni == CNI_CALICO && !settings->cni_plugins)
        yaml_problem(s->cni_ref, "no release has Calico's plugins; name a folder that holds them "
                                 "with `cniPlugins`");
    if (settings->cni != CNI_BRIDGE || settings->pod_networks != POD_NETWORKS_CONTROLLERS)
        return;
    if (settings->runtime == RUNTIME_DOCKER)
        yaml_problem(s->pod_networks_ref, "docker does not tell the bridge's plugin what network "
                                          "the controllers give its node; take containerd, "
                                          "another `cni`, or `metadata`");
}

static void check_pod_networks(const struct spec *s)
{
    struct cidr pods = {0};
    if (!spec_gives_pod_networks(s) || !s->pods_cidr.text)
        return;
    cidr_parse(s->pods_cidr.text, &pods);
    if (pods.prefix > NODE_PREFIX)
        yaml_problem(s->pods_cidr.ref,
                     "the controllers give each node a /%d of the pods network; a /%u has none",
                     NODE_PREFIX, pods.prefix);
}

bool spec_gives_pod_networks(const struct spec *s)
{
    enum pod_networks given = s->settings.pod_networks;
    return given == POD_NETWORKS_CONTROLLERS ||
           (given == POD_NETWORKS_DEFAULT && s->settings.cni != CNI_BRIDGE);
}

void spec_check_choices(const struct spec *spec)
{
    check_docker(spec);
    check_cloud(spec);
    check_labels(spec);
    check_cni(spec);
    check_pod_networks(spec);
}
