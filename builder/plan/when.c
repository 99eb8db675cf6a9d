#include "builder/plan/when.h"

#include <string.h>

static bool shared(const struct cluster *c)
{
    return c->pki.layout == PKI_SHARED;
}

static bool separate(const struct cluster *c)
{
    return c->pki.layout == PKI_SEPARATE;
}

static bool one_ca(const struct cluster *c)
{
    return !c->pki.own_cas;
}

static bool own_cas(const struct cluster *c)
{
    return c->pki.own_cas;
}

static bool image(const struct cluster *c)
{
    return c->identity == IDENTITY_IMAGE;
}

static bool bootstrap(const struct cluster *c)
{
    return c->identity == IDENTITY_BOOTSTRAP;
}

static bool metadata(const struct cluster *c)
{
    return c->identity == IDENTITY_METADATA;
}

/* `nodebake pki` has the nodes' certificates. */
static bool issued(const struct cluster *c)
{
    return c->identity != IDENTITY_BOOTSTRAP;
}

static bool containerd(const struct cluster *c)
{
    return c->settings.runtime == RUNTIME_CONTAINERD;
}

static bool docker(const struct cluster *c)
{
    return c->settings.runtime == RUNTIME_DOCKER;
}

static bool bridge(const struct cluster *c)
{
    return c->settings.cni == CNI_BRIDGE;
}

static bool calico(const struct cluster *c)
{
    return c->settings.cni == CNI_CALICO;
}

static bool flannel(const struct cluster *c)
{
    return c->settings.cni == CNI_FLANNEL;
}

static bool by_metadata(const struct cluster *c)
{
    return c->settings.pod_networks == POD_NETWORKS_METADATA;
}

static bool by_controllers(const struct cluster *c)
{
    return c->settings.pod_networks == POD_NETWORKS_CONTROLLERS;
}

static const struct {
    const char *word;
    bool (*holds)(const struct cluster *cluster);
} words[] = {
    {"shared", shared},
    {"separate", separate},
    {"one-ca", one_ca},
    {"own-cas", own_cas},
    {"image", image},
    {"bootstrap", bootstrap},
    {"metadata", metadata},
    {"issued", issued},
    {"containerd", containerd},
    {"docker", docker},
    {"bridge", bridge},
    {"calico", calico},
    {"flannel", flannel},
    {"pods-by-metadata", by_metadata},
    {"pods-by-controllers", by_controllers},
};

static int read_word(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    char known[256] = "";
    struct buffer list = BUFFER_FIXED(known);
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(text, words[i].word) == 0) {
            *(when_set *)dest |= 1U << i;
            return 0;
        }
        buffer_printf(&list, "%s%s", i ? ", " : "", words[i].word);
    }
    return yaml_error(ref, err, "'%.64s' is no condition; known: %s", text, known);
}

int when_read(struct yaml_ref ref, void *dest, struct error *err)
{
    if (yaml_is_scalar(ref))
        return read_word(ref, dest, err);
    return yaml_read_list(ref, 1, ARRAY_LEN(words), read_word, dest, err);
}

bool when_holds(when_set when, const struct cluster *cluster)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (when & 1U << i && !words[i].holds(cluster))
            return false;
    return true;
}
