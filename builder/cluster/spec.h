/* cluster.yaml while it is being checked: every value with its place in the file. */
#ifndef NB_BUILDER_SPEC_H
#define NB_BUILDER_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/cluster/cluster.h"
#include "builder/yaml/yaml.h"

/* A value and where it stands. */
struct spot {
    char *text;          /* NULL: not given, or refused */
    struct yaml_ref ref; /* ref.file is NULL when it is not given */
};

struct spec_label {
    struct spot key, value;
};

struct spec_node {
    struct spot name, role, address, pod_cidr;
    struct spec_label *labels;
    size_t label_count, label_cap;
    struct yaml_ref ref;
};

/* A file or folder of the user's that has to be there. */
struct spec_path {
    struct spot path;
    bool is_folder;
    const char *hint; /* what would be right */
};

struct spec {
    unsigned version;
    struct spot name, profile, kubernetes, release, public_address, image, artifacts, debs,
        identity;
    uint64_t disk_size; /* 0: not given */
    struct spot nodes_cidr, pods_cidr, services_cidr, dns, domain;
    struct spot sources[CLUSTER_SOURCES_MAX];
    size_t source_count;
    struct spec_node *nodes;
    size_t node_count, node_cap;
    struct settings settings; /* its paths are those of the file, not yet of its folder */
    struct pki_settings pki;
    struct yaml_ref runtime_ref, container_runtime_ref, cni_ref, pod_networks_ref,
        cloud_provider_ref;
    struct spec_path *paths;
    size_t path_count, path_cap;
};

/* Reads the file's values one by one: keys, types and forms. What was refused stays NULL. */
int spec_read(struct yaml_ref root, struct spec *spec, struct error *err) NONNULL(2, 3) MUST_CHECK;

/* Adds how the values do not go together: networks, addresses, names. */
void spec_check(const struct spec *spec) NONNULL(1);

/* The same of the choices of runtime, networks and cloud. */
void spec_check_choices(const struct spec *spec) NONNULL(1);

/* Do the controllers give the nodes their pod networks? */
bool spec_gives_pod_networks(const struct spec *spec) NONNULL(1);

/* Adds what is needed and is not there; `dir` is the folder of the file. */
void spec_check_files(const struct spec *spec, const char *dir, struct cluster_needs needs)
    NONNULL(1, 2);

/* A path of the file, seen from outside of `dir`, its folder. The caller frees it; NULL stays
 * NULL. */
char *spec_path(const char *dir, const char *path) NONNULL(1);

/* Frees what is left in the spec. */
void spec_free(struct spec *spec);
#define AUTO_SPEC __attribute__((cleanup(spec_free)))

#endif
