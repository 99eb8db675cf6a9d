#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/authority.h"
#include "builder/plan/part.h"
#include "builder/plan/registry-config.h"

static const char SOURCE[] = "cluster.yaml: registries";

/* containerd would ask without them. */
static int refuse_users(const struct registry *registry, struct error *err)
{
    for (size_t i = 0; i < registry->mirrors.count; i++)
        if (strchr(registry->mirrors.items[i], '@'))
            return error_set(err, "a mirror's URL holds a user; containerd takes none from there");
    return 0;
}

static int refuse_conflict(const struct settings *settings, struct error *err)
{
    char *host AUTO_FREE = NULL;
    const struct registry *registry = registry_conflict(settings, &host);
    if (!registry)
        return 0;
    return error_set(err,
                     "registries: %s: containerd before 1.5 takes one CA for %s, and another "
                     "registry gives it another; put both into one file",
                     registry->host, host);
}

static int add_ca(struct plan *plan, const struct registry *registry, struct error *err)
{
    struct authorities list AUTO_AUTHORITIES = {0};
    struct buffer text AUTO_BUFFER = buffer_heap();
    char *path AUTO_FREE = registry_path(registry, "ca.crt");
    if (authorities_read(registry->ca, time(NULL), &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        buffer_puts(&text, list.items[i].pem);
    return part_text(plan, path, 0644, &text, SOURCE, err);
}

static int add_registry(struct plan *plan, const struct registry *registry, bool hosts_files,
                        struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    char *path AUTO_FREE = registry_path(registry, "hosts.toml");
    if (refuse_users(registry, err) < 0 || (registry->ca && add_ca(plan, registry, err) < 0))
        return -1;
    if (!hosts_files || !registry->mirrors.count)
        return 0;
    registry_hosts_file(registry, &text);
    return part_text(plan, path, 0644, &text, SOURCE, err);
}

int part_registries(struct plan *plan, struct error *err)
{
    const struct cluster *cluster = plan->in.cluster;
    const struct settings *settings = &cluster->settings;
    bool hosts_files = registry_has_hosts_files(plan->in.release);
    if (!role_has_binary(plan->in.role, "containerd"))
        return 0;
    if (!hosts_files && refuse_conflict(settings, err) < 0)
        return error_context(err, "%s", cluster->file);
    for (size_t i = 0; i < settings->registry_count; i++) {
        const struct registry *registry = &settings->registries[i];
        if (add_registry(plan, registry, hosts_files, err) < 0)
            return error_context(err, "%s:%u: registries: %s", cluster->file, registry->line,
                                 registry->host);
    }
    return 0;
}
