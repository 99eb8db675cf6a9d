/* The keys of cluster.yaml beside Kubernetes. */
#ifndef NB_BUILDER_READ_SETTINGS_H
#define NB_BUILDER_READ_SETTINGS_H

#include "builder/yaml/yaml.h"

/* Readers whose destination is a struct spec. */
yaml_reader read_cloud_init, read_on_failure, read_access, read_kernel_args, read_cgroups,
    read_runtime, read_proxy, read_registries, read_ntp, read_sysctl, read_modules,
    read_trusted_cas, read_container_images, read_files, read_overlays, read_packages,
    read_repositories, read_units, read_firewall, read_kernel_updates, read_journal_size, read_pki,
    read_flags, read_facts, read_firstboot, read_metadata_for_pods, read_container_runtime,
    read_cni, read_cni_plugins, read_pod_networks, read_cloud_provider, read_node_labels,
    read_manifests;

#endif
