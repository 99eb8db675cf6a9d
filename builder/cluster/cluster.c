#include "builder/cluster/cluster.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/cluster/spec.h"
#include "builder/heap.h"
#include "common/address.h"
#include "common/file.h"

/* Of the cluster's DNS in the services network, as kubeadm has it. */
enum { DNS_PLACE = 10 };

const char *const identity_words[IDENTITY_MODES + 1] = {[IDENTITY_IMAGE] = "image",
                                                        [IDENTITY_BOOTSTRAP] = "bootstrap",
                                                        [IDENTITY_METADATA] = "metadata"};

enum identity_mode identity_of_word(const char *word)
{
    unsigned mode = 0;
    while (mode + 1 < IDENTITY_MODES && strcmp(identity_words[mode], word) != 0)
        mode++;
    return (enum identity_mode)mode;
}

static char *folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    if (!slash)
        return heap_copy(".");
    return heap_printf("%.*s", slash == file ? 1 : (int)(slash - file), file);
}

char *cluster_path(const struct cluster *cluster, const char *path)
{
    return spec_path(cluster->dir, path);
}

static void take_node(struct node *node, struct spec_node *spec)
{
    *node = (struct node){
        .name = steal(spec->name.text),
        .role = steal(spec->role.text),
        .address = steal(spec->address.text),
        .pod_cidr = steal(spec->pod_cidr.text),
        .labels = heap_array(spec->label_count, sizeof *node->labels),
        .label_count = spec->label_count,
        .line = yaml_line(spec->ref),
    };
    for (size_t i = 0; i < spec->label_count; i++)
        node->labels[i] =
            (struct label){steal(spec->labels[i].key.text), steal(spec->labels[i].value.text)};
}

static void root_path(const struct cluster *c, char **path)
{
    char *own = *path;
    *path = cluster_path(c, own);
    free(own);
}

/* From here on its paths begin where we are. */
static void take_settings(struct cluster *c, struct spec *spec)
{
    struct settings *s = &c->settings;
    *s = spec->settings;
    spec->settings = (struct settings){0};
    if (s->pod_networks == POD_NETWORKS_DEFAULT)
        s->pod_networks = s->cni == CNI_BRIDGE ? POD_NETWORKS_METADATA : POD_NETWORKS_CONTROLLERS;
    if (!s->containerd_runtime)
        s->containerd_runtime = heap_copy("io.containerd.runc.v2");
    for (size_t i = 0; i < s->registry_count; i++)
        root_path(c, &s->registries[i].ca);
    for (size_t i = 0; i < s->file_count; i++)
        root_path(c, &s->files[i].host);
    root_path(c, &s->cni_plugins);
    for (size_t i = 0; i < s->manifests.count; i++)
        root_path(c, &s->manifests.items[i]);
    for (size_t i = 0; i < s->trusted_cas.count; i++)
        root_path(c, &s->trusted_cas.items[i]);
    for (size_t i = 0; i < s->container_images.count; i++)
        root_path(c, &s->container_images.items[i]);
    for (size_t i = 0; i < s->overlays.count; i++)
        root_path(c, &s->overlays.items[i]);
}

/* The n-th address of the services network. */
static char *service_address(const struct cluster *c, unsigned n)
{
    struct cidr services = {0};
    cidr_parse(c->services_cidr, &services);
    uint32_t a = services.address + n;
    return heap_printf("%u.%u.%u.%u", a >> 24 & 255, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static struct cluster *take(const char *file, struct spec *spec)
{
    struct cluster *c = heap_array(1, sizeof *c);
    c->file = heap_copy(file);
    c->dir = folder_of(file);
    c->name = steal(spec->name.text);
    c->profile = steal(spec->profile.text);
    c->kubernetes = steal(spec->kubernetes.text);
    c->kubernetes_line = yaml_line(spec->kubernetes.ref);
    c->release = cluster_path(c, spec->release.text);
    c->public_address = steal(spec->public_address.text);
    c->nodes_cidr = steal(spec->nodes_cidr.text);
    c->pods_cidr = steal(spec->pods_cidr.text);
    c->services_cidr = steal(spec->services_cidr.text);
    c->dns_address = spec->dns.text ? steal(spec->dns.text) : service_address(c, DNS_PLACE);
    c->domain = steal(spec->domain.text);
    c->image = cluster_path(c, spec->image.text);
    c->artifacts = cluster_path(c, spec->artifacts.text);
    c->debs = cluster_path(c, spec->debs.text);
    c->disk_size = spec->disk_size;
    c->identity = identity_of_word(spec->identity.text);
    take_settings(c, spec);
    c->pki = spec->pki;
    spec->pki = (struct pki_settings){0};
    for (size_t i = 0; i < spec->source_count; i++)
        c->sources[c->source_count++] = steal(spec->sources[i].text);
    c->nodes = heap_array(spec->node_count, sizeof *c->nodes);
    for (size_t i = 0; i < spec->node_count; i++)
        take_node(&c->nodes[c->node_count++], &spec->nodes[i]);
    return c;
}

int cluster_parse(const char *file, const char *text, size_t len, struct cluster_needs needs,
                  struct cluster **out, struct problems *problems, struct error *err)
{
    struct yaml_file *yaml AUTO_YAML = NULL;
    struct spec spec AUTO_SPEC = {0};
    if (yaml_parse(file, text, len, problems, &yaml, err) < 0)
        return -1;
    char *dir AUTO_FREE = folder_of(file);
    int result = spec_read(yaml_root(yaml), &spec, err);
    spec_check(&spec);
    spec_check_files(&spec, dir, needs);
    if (problems_settle(problems, result, err) < 0)
        return -1;
    *out = take(file, &spec);
    return 0;
}

int cluster_load(const char *file, struct cluster_needs needs, struct cluster **out,
                 struct problems *problems, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (file_read(AT_FDCWD, file, YAML_FILE_MAX, &text, err) < 0)
        return -1;
    return cluster_parse(file, text.data, text.len, needs, out, problems, err);
}

const struct node *cluster_node(const struct cluster *cluster, const char *name)
{
    for (size_t i = 0; i < cluster->node_count; i++)
        if (strcmp(cluster->nodes[i].name, name) == 0)
            return &cluster->nodes[i];
    return NULL;
}

void cluster_api_service_address(const struct cluster *cluster, char dst[static 16])
{
    char *address AUTO_FREE = service_address(cluster, 1);
    snprintf(dst, 16, "%s", address);
}

static void free_node(struct node *node)
{
    for (size_t i = 0; i < node->label_count; i++) {
        free(node->labels[i].key);
        free(node->labels[i].value);
    }
    free(node->labels);
    free(node->name);
    free(node->role);
    free(node->address);
    free(node->pod_cidr);
}

unsigned cluster_minor(const struct cluster *cluster)
{
    const char *dot = strchr(cluster->kubernetes, '.');
    return dot ? (unsigned)strtoul(dot + 1, NULL, 10) : 0;
}

void cluster_free(struct cluster *c)
{
    if (!c)
        return;
    char *texts[] = {c->file,           c->dir,        c->name,      c->profile,
                     c->kubernetes,     c->release,    c->image,     c->artifacts,
                     c->public_address, c->nodes_cidr, c->pods_cidr, c->services_cidr,
                     c->dns_address,    c->domain,     c->debs};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    for (size_t i = 0; i < c->source_count; i++)
        free(c->sources[i]);
    for (size_t i = 0; i < c->node_count; i++)
        free_node(&c->nodes[i]);
    free(c->nodes);
    settings_free(&c->settings);
    pki_settings_free(&c->pki);
    free(c);
}

void cluster_free_at(struct cluster **cluster)
{
    cluster_free(*cluster);
}
