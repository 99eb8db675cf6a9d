/* What runs on nodes besides Kubernetes, and who says what: choices of a word each. */
#include <stdlib.h>
#include <string.h>

#include "builder/cluster/labels.h"
#include "builder/cluster/read-forms.h"
#include "builder/cluster/read-settings.h"
#include "builder/heap.h"

int read_container_runtime(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"containerd", "docker", NULL};
    struct spec *spec = dest;
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    spec->container_runtime_ref = ref;
    spec->settings.runtime = choice ? RUNTIME_DOCKER : RUNTIME_CONTAINERD;
    return 0;
}

int read_cni(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"bridge", "calico", "flannel", "none", NULL};
    static const enum cni values[] = {CNI_BRIDGE, CNI_CALICO, CNI_FLANNEL, CNI_NONE};
    struct spec *spec = dest;
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    spec->cni_ref = ref;
    spec->settings.cni = values[choice];
    return 0;
}

int read_cni_plugins(struct yaml_ref ref, void *dest, struct error *err)
{
    struct spec *spec = dest;
    return read_path(ref, true, "name the folder with CNI plugins of yours", spec,
                     &spec->settings.cni_plugins, err);
}

int read_pod_networks(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"metadata", "controllers", NULL};
    struct spec *spec = dest;
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    spec->pod_networks_ref = ref;
    spec->settings.pod_networks = choice ? POD_NETWORKS_CONTROLLERS : POD_NETWORKS_METADATA;
    return 0;
}

int read_cloud_provider(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"none", "aws", "external", NULL};
    static const enum cloud_provider values[] = {CLOUD_NONE, CLOUD_AWS, CLOUD_EXTERNAL};
    struct spec *spec = dest;
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    spec->cloud_provider_ref = ref;
    spec->settings.cloud_provider = values[choice];
    return 0;
}

/* Is it @NAME@, the value of a fact? */
static bool is_fact(const char *text)
{
    size_t len = strlen(text);
    return len > 2 && text[0] == '@' && text[len - 1] == '@' && text[1] >= 'A' && text[1] <= 'Z' &&
           strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == len - 2;
}

static int read_node_label(const char *key, struct yaml_ref key_ref, struct yaml_ref value,
                           void *dest, struct error *err)
{
    struct settings *s = &((struct spec *)dest)->settings;
    const char *text = "";
    struct error cause = ERROR_INIT;
    int result = yaml_scalar(value, &text, err);
    if (label_key_check(key, &cause) < 0)
        result = yaml_error(key_ref, err, "%s", cause.text);
    if (!is_fact(text) && label_value_check(text, &cause) < 0)
        result = yaml_error(value, err, "%s", cause.text);
    if (result < 0)
        return -1;
    *APPEND(s->node_labels, s->node_label_count, s->node_label_cap) =
        (struct pair){heap_copy(key), heap_copy(text)};
    return 0;
}

int read_node_labels(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_pairs(ref, CLUSTER_LABELS_MAX, read_node_label, dest, err);
}

static int read_manifest(struct yaml_ref ref, void *dest, struct error *err)
{
    struct spec *spec = dest;
    char *path AUTO_FREE = NULL;
    if (read_path(ref, false, "name a YAML or JSON file for `kubectl apply`", spec, &path, err) < 0)
        return -1;
    if (texts_have(&spec->settings.manifests, path))
        return yaml_error(ref, err, "'%s' stands here twice", path);
    texts_add(&spec->settings.manifests, path);
    return 0;
}

int read_manifests(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, SETTINGS_LIST_MAX, read_manifest, dest, err);
}
