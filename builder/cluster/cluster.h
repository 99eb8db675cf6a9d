/* cluster.yaml as the user wrote it, checked. Reference: docs/cluster.yaml.md. */
#ifndef NB_BUILDER_CLUSTER_H
#define NB_BUILDER_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/cluster/pki-settings.h"
#include "builder/cluster/settings.h"
#include "builder/install.h"
#include "builder/yaml/problems.h"
#include "common/attributes.h"
#include "common/error.h"

enum { CLUSTER_NODES_MAX = 1000, CLUSTER_LABELS_MAX = 64, CLUSTER_SOURCES_MAX = 8 };

/* How a worker gets its key and certificate: both lie in its image, it asks for one with a token,
 * or its instance's metadata has both. */
enum identity_mode { IDENTITY_IMAGE, IDENTITY_BOOTSTRAP, IDENTITY_METADATA, IDENTITY_MODES };

/* The words of the modes in cluster.yaml and profiles, and a NULL. */
extern const char *const identity_words[IDENTITY_MODES + 1];

/* The mode of one of these words. */
enum identity_mode identity_of_word(const char *word) NONNULL(1);

struct label {
    char *key, *value;
};

struct node {
    char *name;     /* DNS label; also the host name and the certificate's node name */
    char *role;     /* "controller" or "worker" */
    char *address;  /* IPv4, inside networks.nodes */
    char *pod_cidr; /* IPv4 network inside networks.pods; NULL for controllers, and
                     * where the controllers give them out */
    struct label *labels;
    size_t label_count;
    unsigned line; /* in the file, for errors found later */
};

struct cluster {
    char *file;       /* as given on the command line */
    char *dir;        /* the folder of the file; relative paths in it begin there */
    char *name;       /* DNS label */
    char *profile;    /* name of a file in profiles/, without .yaml */
    char *kubernetes; /* X.Y.Z */
    unsigned kubernetes_line;
    char *release;        /* path of a release file, or NULL: the one that nodebake ships */
    char *public_address; /* IPv4 of the balancer */
    char *nodes_cidr, *pods_cidr, *services_cidr;
    char *dns_address;                  /* inside services_cidr; where none is named, its tenth */
    char *domain;                       /* DNS name, or NULL: the profile's; see inputs_defaults */
    char *image;                        /* path of the base image */
    uint64_t disk_size;                 /* bytes of the images' disks; 0: as large as the base */
    char *artifacts;                    /* path of the folder with the release's files */
    char *debs;                         /* path of the folder with .deb files, or NULL */
    char *sources[CLUSTER_SOURCES_MAX]; /* metadata services allowed at first boot */
    size_t source_count;
    enum identity_mode identity;
    struct node *nodes;
    size_t node_count;
    struct settings settings;
    struct pki_settings pki;
};

/* What the file speaks of and must be there. */
struct cluster_needs {
    const struct install *install; /* the profile and the release file in it; NULL: nothing */
    bool base;                     /* base image, artifacts and debs, too */
};

/* Reads and checks the file; on 0 *out belongs to the caller. What is wrong in it is in `problems`
 * then, the error tells their number. */
int cluster_load(const char *file, struct cluster_needs needs, struct cluster **out,
                 struct problems *problems, struct error *err) NONNULL(1, 3, 4, 5) MUST_CHECK;

/* The same from memory; `file` stands in errors, and paths begin at its folder. */
int cluster_parse(const char *file, const char *text, size_t len, struct cluster_needs needs,
                  struct cluster **out, struct problems *problems, struct error *err)
    NONNULL(1, 2, 5, 6, 7) MUST_CHECK;

/* The node of that name, or NULL. */
const struct node *cluster_node(const struct cluster *cluster, const char *name) NONNULL(1, 2);

/* A path as the file means it: relative ones begin at its folder. The caller frees it; NULL stays
 * NULL. */
char *cluster_path(const struct cluster *cluster, const char *path) NONNULL(1);

/* The first address of the services network: the API server's own service. dst holds 16 bytes. */
void cluster_api_service_address(const struct cluster *cluster, char dst[static 16]) NONNULL(1);

/* N of the Kubernetes version 1.N.Z. */
unsigned cluster_minor(const struct cluster *cluster) NONNULL(1);

/* Frees the cluster; NULL is allowed. */
void cluster_free(struct cluster *cluster);
void cluster_free_at(struct cluster **cluster);
#define AUTO_CLUSTER __attribute__((cleanup(cluster_free_at)))

#endif
