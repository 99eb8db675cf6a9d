/* The keys of cluster.yaml: tables, a row a key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cluster/labels.h"
#include "builder/cluster/read-settings.h"
#include "builder/cluster/spec.h"
#include "builder/heap.h"

#define SPOT_READER(name, reader)                                                                  \
    static int name(struct yaml_ref ref, void *dest, struct error *err)                            \
    {                                                                                              \
        struct spot *spot = dest;                                                                  \
        spot->ref = ref;                                                                           \
        return reader(ref, &spot->text, err);                                                      \
    }

static int read_version_text(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    unsigned part[3];
    int end = 0;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (strlen(text) > 12 || strspn(text, "0123456789.") != strlen(text) ||
        sscanf(text, "%3u.%3u.%3u%n", &part[0], &part[1], &part[2], &end) != 3 || text[end])
        return yaml_error(ref, err, "'%.64s' is not a version; write it like 1.21.0", text);
    return yaml_read_text(ref, dest, err);
}

/* Reads one of a few words into a char *. */
static int read_word(struct yaml_ref ref, const char *const *words, const char *what, void *dest,
                     struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    char known[256] = "";
    struct buffer list = BUFFER_FIXED(known);
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0)
            return yaml_read_text(ref, dest, err);
        buffer_printf(&list, "%s%s", i ? ", " : "", words[i]);
    }
    return yaml_error(ref, err, "'%.64s' is no %s of this nodebake; known: %s", text, what, known);
}

static int read_role_word(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"controller", "worker", NULL};
    return read_word(ref, words, "role", dest, err);
}

static int read_identity_word(struct yaml_ref ref, void *dest, struct error *err)
{
    return read_word(ref, identity_words, "identity mode", dest, err);
}

static int read_source_word(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"gce", "aws", NULL};
    return read_word(ref, words, "metadata source", dest, err);
}

SPOT_READER(spot_text, yaml_read_text)
SPOT_READER(spot_label, yaml_read_label)
SPOT_READER(spot_name, yaml_read_name)
SPOT_READER(spot_ipv4, yaml_read_ipv4)
SPOT_READER(spot_cidr, yaml_read_cidr)
SPOT_READER(spot_version, read_version_text)
SPOT_READER(spot_role, read_role_word)
SPOT_READER(spot_identity, read_identity_word)
SPOT_READER(spot_source, read_source_word)

static int read_disk_size(struct yaml_ref ref, void *dest, struct error *err)
{
    const uint64_t mib = 1 << 20, max = 64ULL << 40;
    struct spec *spec = dest;
    if (yaml_read_size(ref, &spec->disk_size, err) < 0)
        return -1;
    if (!spec->disk_size || spec->disk_size % mib || spec->disk_size > max)
        return yaml_error(ref, err, "a disk has whole MiB, at most 65536GiB");
    return 0;
}

static int read_networks(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"nodes", spot_cidr, offsetof(struct spec, nodes_cidr), true},
        {"pods", spot_cidr, offsetof(struct spec, pods_cidr), true},
        {"services", spot_cidr, offsetof(struct spec, services_cidr), true},
        {"dns", spot_ipv4, offsetof(struct spec, dns), false},
        {"domain", spot_name, offsetof(struct spec, domain), false},
    };
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), dest, err);
}

static int read_source(struct yaml_ref ref, void *dest, struct error *err)
{
    struct spec *spec = dest;
    struct spot *spot = &spec->sources[spec->source_count++];
    if (spot_source(ref, spot, err) < 0)
        return -1;
    for (const struct spot *s = spec->sources; s < spot; s++)
        if (s->text && strcmp(s->text, spot->text) == 0)
            return yaml_error(ref, err, "'%s' stands here twice", spot->text);
    return 0;
}

static int read_sources(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 1, CLUSTER_SOURCES_MAX, read_source, dest, err);
}

static int read_label_pair(const char *key, struct yaml_ref key_ref, struct yaml_ref value,
                           void *dest, struct error *err)
{
    struct spec_node *node = dest;
    const char *text = "";
    struct error cause = ERROR_INIT;
    int result = yaml_scalar(value, &text, err);
    if (label_key_check(key, &cause) < 0)
        result = yaml_error(key_ref, err, "%s", cause.text);
    if (label_value_check(text, &cause) < 0)
        result = yaml_error(value, err, "%s", cause.text);
    if (result < 0)
        return -1;
    struct spec_label *label = APPEND(node->labels, node->label_count, node->label_cap);
    label->key = (struct spot){heap_copy(key), key_ref};
    label->value = (struct spot){heap_copy(text), value};
    return 0;
}

static int read_labels(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_pairs(ref, CLUSTER_LABELS_MAX, read_label_pair, dest, err);
}

static int read_node(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"name", spot_label, offsetof(struct spec_node, name), true},
        {"role", spot_role, offsetof(struct spec_node, role), true},
        {"address", spot_ipv4, offsetof(struct spec_node, address), true},
        {"podCIDR", spot_cidr, offsetof(struct spec_node, pod_cidr), false},
        {"labels", read_labels, 0, false},
    };
    struct spec *spec = dest;
    struct spec_node *node = APPEND(spec->nodes, spec->node_count, spec->node_cap);
    node->ref = ref;
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), node, err);
}

static int read_nodes(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 1, CLUSTER_NODES_MAX, read_node, dest, err);
}

int spec_read(struct yaml_ref root, struct spec *spec, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"version", yaml_read_version1, offsetof(struct spec, version), true},
        {"name", spot_label, offsetof(struct spec, name), true},
        {"profile", spot_label, offsetof(struct spec, profile), true},
        {"kubernetes", spot_version, offsetof(struct spec, kubernetes), true},
        {"release", spot_text, offsetof(struct spec, release), false},
        {"publicAddress", spot_ipv4, offsetof(struct spec, public_address), true},
        {"networks", read_networks, 0, true},
        {"image", spot_text, offsetof(struct spec, image), true},
        {"artifacts", spot_text, offsetof(struct spec, artifacts), true},
        {"diskSize", read_disk_size, 0, false},
        {"debs", spot_text, offsetof(struct spec, debs), false},
        {"metadata", read_sources, 0, true},
        {"identity", spot_identity, offsetof(struct spec, identity), true},
        {"nodes", read_nodes, 0, true},
        {"cloudInit", read_cloud_init, 0, false},
        {"onFailure", read_on_failure, 0, false},
        {"access", read_access, 0, false},
        {"kernelArgs", read_kernel_args, 0, false},
        {"cgroups", read_cgroups, 0, false},
        {"containerdRuntime", read_runtime, 0, false},
        {"runtime", read_container_runtime, 0, false},
        {"cni", read_cni, 0, false},
        {"cniPlugins", read_cni_plugins, 0, false},
        {"podNetworks", read_pod_networks, 0, false},
        {"cloudProvider", read_cloud_provider, 0, false},
        {"nodeLabels", read_node_labels, 0, false},
        {"manifests", read_manifests, 0, false},
        {"proxy", read_proxy, 0, false},
        {"registries", read_registries, 0, false},
        {"ntp", read_ntp, 0, false},
        {"sysctl", read_sysctl, 0, false},
        {"flags", read_flags, 0, false},
        {"modules", read_modules, 0, false},
        {"trustedCAs", read_trusted_cas, 0, false},
        {"containerImages", read_container_images, 0, false},
        {"files", read_files, 0, false},
        {"overlays", read_overlays, 0, false},
        {"packages", read_packages, 0, false},
        {"repositories", read_repositories, 0, false},
        {"units", read_units, 0, false},
        {"firewall", read_firewall, 0, false},
        {"kernelUpdates", read_kernel_updates, 0, false},
        {"journalSize", read_journal_size, 0, false},
        {"facts", read_facts, 0, false},
        {"firstboot", read_firstboot, 0, false},
        {"metadataForPods", read_metadata_for_pods, 0, false},
        {"pki", read_pki, 0, false},
    };
    return yaml_read_map(root, fields, ARRAY_LEN(fields), spec, err);
}

static void free_node(struct spec_node *node)
{
    for (size_t i = 0; i < node->label_count; i++) {
        free(node->labels[i].key.text);
        free(node->labels[i].value.text);
    }
    free(node->labels);
    free(node->name.text);
    free(node->role.text);
    free(node->address.text);
    free(node->pod_cidr.text);
}

void spec_free(struct spec *spec)
{
    struct spot *spots[] = {
        &spec->name,      &spec->profile,        &spec->kubernetes, &spec->release,    &spec->image,
        &spec->artifacts, &spec->public_address, &spec->identity,   &spec->nodes_cidr, &spec->debs,
        &spec->pods_cidr, &spec->services_cidr,  &spec->dns,        &spec->domain};
    for (size_t i = 0; i < ARRAY_LEN(spots); i++)
        free(spots[i]->text);
    for (size_t i = 0; i < spec->source_count; i++)
        free(spec->sources[i].text);
    for (size_t i = 0; i < spec->node_count; i++)
        free_node(&spec->nodes[i]);
    free(spec->nodes);
    settings_free(&spec->settings);
    pki_settings_free(&spec->pki);
    for (size_t i = 0; i < spec->path_count; i++)
        free(spec->paths[i].path.text);
    free(spec->paths);
}
