/* All settings as one text. Every value stands behind its length: no two settings have the same. */
#include <string.h>

#include "builder/cluster/settings.h"

static void add(struct buffer *out, const char *key, const char *value)
{
    buffer_printf(out, "%s %zu:%s\n", key, value ? strlen(value) : 0, value ? value : "");
}

static void add_number(struct buffer *out, const char *key, uint64_t value)
{
    buffer_printf(out, "%s %llu\n", key, (unsigned long long)value);
}

static void add_all(struct buffer *out, const char *key, const struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        add(out, key, texts->items[i]);
}

static void add_access(struct buffer *out, const struct access *access)
{
    add(out, "user", access->user);
    add_all(out, "key", &access->keys);
    add_number(out, "metadata", access->metadata);
    add_number(out, "sudo", access->sudo);
    add_number(out, "rescue", access->rescue);
}

static void add_network(struct buffer *out, const struct settings *settings)
{
    add(out, "http", settings->proxy.http);
    add(out, "https", settings->proxy.https);
    add_all(out, "no", &settings->proxy.no);
    for (size_t i = 0; i < settings->registry_count; i++) {
        add(out, "registry", settings->registries[i].host);
        add_all(out, "mirror", &settings->registries[i].mirrors);
        add(out, "ca", settings->registries[i].ca);
    }
    add_all(out, "ntp", &settings->ntp);
    add_all(out, "trusted", &settings->trusted_cas);
    add_all(out, "containerImage", &settings->container_images);
    add_number(out, "firewall", settings->firewall);
}

static void add_flags(struct buffer *out, const struct settings *settings)
{
    for (size_t i = 0; i < settings->flag_count; i++) {
        add(out, "program", settings->flags[i].program);
        add(out, "flag", settings->flags[i].name);
        add(out, "value", settings->flags[i].value);
    }
}

static void add_kernel(struct buffer *out, const struct settings *settings)
{
    add_all(out, "arg", &settings->kernel_args);
    add_number(out, "cgroups", settings->cgroups);
    for (size_t i = 0; i < settings->sysctl_count; i++) {
        add(out, "sysctl", settings->sysctl[i].key);
        add(out, "value", settings->sysctl[i].value);
    }
    add_all(out, "module", &settings->modules);
    add_number(out, "updates", settings->kernel_updates);
}

static void add_own(struct buffer *out, const struct settings *settings)
{
    for (size_t i = 0; i < settings->file_count; i++) {
        const struct own_file *file = &settings->files[i];
        add(out, "file", file->path);
        add(out, "content", file->content);
        add(out, "host", file->host);
        buffer_printf(out, "%o %u %u\n", (unsigned)file->mode, (unsigned)file->uid,
                      (unsigned)file->gid);
    }
    for (size_t i = 0; i < settings->unit_count; i++) {
        add(out, "unit", settings->units[i].name);
        add_number(out, "state", settings->units[i].state);
        add(out, "wanted", settings->units[i].wanted_by);
    }
    add_all(out, "overlay", &settings->overlays);
    add_all(out, "package", &settings->packages);
    add_number(out, "repositories", settings->repositories);
}

static void add_firstboot(struct buffer *out, const struct settings *settings)
{
    for (size_t i = 0; i < settings->fact_count; i++) {
        const struct node_fact *fact = &settings->facts[i];
        add(out, "fact", fact->name);
        add_number(out, "type", fact->type);
        for (size_t p = 0; p < fact->path_count; p++) {
            add(out, "source", fact->paths[p].source);
            add(out, "path", fact->paths[p].path);
        }
    }
    add_number(out, "deadline", settings->deadline);
    add_number(out, "imds-v1", settings->imds_v1);
    add_number(out, "metadata-for-pods", settings->metadata_for_pods);
}

static void add_choices(struct buffer *out, const struct settings *settings)
{
    add_number(out, "containers", settings->runtime);
    add_number(out, "cni", settings->cni);
    add(out, "plugins", settings->cni_plugins);
    add_number(out, "pods", settings->pod_networks);
    add_number(out, "cloud", settings->cloud_provider);
    for (size_t i = 0; i < settings->node_label_count; i++) {
        add(out, "label", settings->node_labels[i].key);
        add(out, "value", settings->node_labels[i].value);
    }
    add_all(out, "manifest", &settings->manifests);
}

void settings_text(const struct settings *settings, struct buffer *out)
{
    add_number(out, "cloud-init", settings->cloud_init);
    add_number(out, "on-failure", settings->on_failure);
    add(out, "runtime", settings->containerd_runtime);
    add_number(out, "journal", settings->journal_size);
    add_choices(out, settings);
    add_access(out, &settings->access);
    add_network(out, settings);
    add_flags(out, settings);
    add_kernel(out, settings);
    add_own(out, settings);
    add_firstboot(out, settings);
}
