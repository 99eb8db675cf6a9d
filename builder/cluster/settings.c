#include "builder/cluster/settings.h"

#include <stdlib.h>

static void free_registries(struct settings *settings)
{
    for (size_t i = 0; i < settings->registry_count; i++) {
        free(settings->registries[i].host);
        free(settings->registries[i].ca);
        texts_free(&settings->registries[i].mirrors);
    }
    free(settings->registries);
}

static void free_files(struct settings *settings)
{
    for (size_t i = 0; i < settings->file_count; i++) {
        free(settings->files[i].path);
        free(settings->files[i].content);
        free(settings->files[i].host);
    }
    free(settings->files);
}

static void free_units(struct settings *settings)
{
    for (size_t i = 0; i < settings->unit_count; i++) {
        free(settings->units[i].name);
        free(settings->units[i].wanted_by);
    }
    free(settings->units);
}

static void free_flags(struct settings *settings)
{
    for (size_t i = 0; i < settings->flag_count; i++) {
        free(settings->flags[i].program);
        free(settings->flags[i].name);
        free(settings->flags[i].value);
    }
    free(settings->flags);
}

void settings_free(struct settings *settings)
{
    texts_free(&settings->access.keys);
    free(settings->access.user);
    texts_free(&settings->kernel_args);
    free(settings->containerd_runtime);
    free(settings->cni_plugins);
    for (size_t i = 0; i < settings->node_label_count; i++) {
        free(settings->node_labels[i].key);
        free(settings->node_labels[i].value);
    }
    free(settings->node_labels);
    texts_free(&settings->manifests);
    free(settings->proxy.http);
    free(settings->proxy.https);
    texts_free(&settings->proxy.no);
    free_registries(settings);
    texts_free(&settings->ntp);
    for (size_t i = 0; i < settings->sysctl_count; i++) {
        free(settings->sysctl[i].key);
        free(settings->sysctl[i].value);
    }
    free(settings->sysctl);
    texts_free(&settings->modules);
    texts_free(&settings->trusted_cas);
    texts_free(&settings->container_images);
    free_files(settings);
    texts_free(&settings->overlays);
    texts_free(&settings->packages);
    free_units(settings);
    free_flags(settings);
    for (size_t i = 0; i < settings->fact_count; i++)
        node_fact_free(&settings->facts[i]);
    free(settings->facts);
}
