/* How the nodes' systems live, beside Kubernetes: the optional keys of cluster.yaml. All strings
 * are on the heap and belong to the struct; NULL, 0 and empty lists: not given. */
#ifndef NB_BUILDER_SETTINGS_H
#define NB_BUILDER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "builder/cluster/node-fact.h"
#include "builder/texts.h"
#include "common/buffer.h"
#include "common/contract.h"

enum { SETTINGS_LIST_MAX = 128, SETTINGS_TEXT_MAX = 256 * 1024 };
enum { FIRSTBOOT_DEADLINE_LEAST = 5 }; /* seconds */

/* Who looks after network, access, host keys and growth: we do, or cloud-init as in the base. */
enum cloud_init { CLOUD_INIT_DISABLE, CLOUD_INIT_KEEP };

/* A firewall that is active in the base: an error, opened for the cluster, or switched off. */
enum firewall { FIREWALL_REFUSE, FIREWALL_OPEN, FIREWALL_DISABLE };

/* Which cgroups systemd mounts; 0: what the base's systemd takes. */
enum cgroups { CGROUPS_DEFAULT, CGROUPS_V1, CGROUPS_V2 };

/* What runs containers. */
enum runtime { RUNTIME_CONTAINERD, RUNTIME_DOCKER };

/* Who lays out the network of pods; NONE: the user. */
enum cni { CNI_BRIDGE, CNI_CALICO, CNI_FLANNEL, CNI_NONE };

/* Who says which addresses the pods of a node get; DEFAULT: by the cni. */
enum pod_networks { POD_NETWORKS_DEFAULT, POD_NETWORKS_METADATA, POD_NETWORKS_CONTROLLERS };

/* Whom the kubelet asks what machine it is on; EXTERNAL: a controller of the user's says it. */
enum cloud_provider { CLOUD_NONE, CLOUD_AWS, CLOUD_EXTERNAL };

/* Who may log in. */
struct access {
    char *user;        /* a POSIX user name, never root; NULL: nobody is added */
    struct texts keys; /* lines of authorized_keys, each checked */
    bool metadata;     /* keys of the machine's metadata, too */
    bool sudo;         /* the user becomes root without a password */
    bool rescue;       /* a root shell on the serial console, without a password */
};

struct proxy {
    char *http, *https; /* URLs */
    struct texts no;    /* host names, domains, networks that are reached without */
};

/* A container registry, and where its images are pulled instead. */
struct registry {
    char *host; /* docker.io, registry.example:5000 */
    struct texts mirrors;
    char *ca; /* path of a PEM file on this host: who signs the mirrors' certificates */
    unsigned line;
};

/* name = value */
struct pair {
    char *key, *value;
};

/* A file that the user puts into the image; it may hold facts, as overlays' files do. */
struct own_file {
    char *path;    /* in the image */
    char *content; /* or */
    char *host;    /* its path on this host */
    mode_t mode;
    uid_t uid;
    gid_t gid;
    unsigned line;
};

enum own_unit_state { OWN_UNIT_ENABLED, OWN_UNIT_DISABLED, OWN_UNIT_MASKED };

/* A systemd unit of the base, of `files` or of an overlay. */
struct own_unit {
    char *name;
    enum own_unit_state state;
    char *wanted_by; /* of an enabled one */
    unsigned line;
};

/* A flag of one of Kubernetes' programs. */
struct flag_setting {
    char *program;
    char *name; /* without dashes */
    char *value;
    unsigned line;
};

struct settings {
    enum cloud_init cloud_init;
    enum on_failure on_failure;
    struct access access;
    struct texts kernel_args; /* words of the kernel's command line */
    enum cgroups cgroups;
    char *containerd_runtime; /* never NULL: io.containerd.runc.v2 or io.containerd.runtime.v1.linux
                               */
    enum runtime runtime;
    enum cni cni;
    char *cni_plugins;              /* path of a folder on this host, or NULL */
    enum pod_networks pod_networks; /* never DEFAULT once the file is checked */
    enum cloud_provider cloud_provider;
    struct pair *node_labels; /* of all workers; values may hold @FACTS@ */
    size_t node_label_count, node_label_cap;
    struct texts manifests; /* paths on this host: what the controllers give the cluster */
    struct proxy proxy;
    struct registry *registries;
    size_t registry_count, registry_cap;
    struct texts ntp; /* host names or addresses */
    struct pair *sysctl;
    size_t sysctl_count, sysctl_cap;
    struct texts modules;          /* kernel modules loaded at boot */
    struct texts trusted_cas;      /* paths of PEM files on this host */
    struct texts container_images; /* paths of archives on this host */
    struct own_file *files;
    size_t file_count, file_cap;
    struct texts overlays; /* paths of folders on this host, applied last, in this order */
    struct texts packages; /* names of Debian packages beside the profile's */
    bool repositories;     /* packages that the base lacks come from its own repositories */
    struct own_unit *units;
    size_t unit_count, unit_cap;
    struct flag_setting *flags;
    size_t flag_count, flag_cap;
    enum firewall firewall;
    bool kernel_updates;     /* unattended upgrades may replace the kernel */
    uint64_t journal_size;   /* bytes that the journal may take on the disk; 0: ours (see docs) */
    struct node_fact *facts; /* the user's, asked for at first boot */
    size_t fact_count, fact_cap;
    unsigned deadline;      /* seconds that first boot may take; 0: CONTRACT_DEADLINE */
    bool imds_v1;           /* AWS's metadata may come without a token */
    bool metadata_for_pods; /* pods may reach the metadata service */
};

/* Appends all of them as a text that differs where they do; lines of the cluster file are left out.
 */
void settings_text(const struct settings *settings, struct buffer *out) NONNULL(1, 2);

/* Frees what the struct holds. */
void settings_free(struct settings *settings);

#endif
