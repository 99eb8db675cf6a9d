#include "builder/plan/registry-config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

#define TABLE "  [plugins.\"io.containerd.grpc.v1.cri\".registry"

char *registry_path(const struct registry *registry, const char *name)
{
    return heap_printf(REGISTRY_FOLDER "/%s/%s", registry->host, name);
}

bool registry_has_hosts_files(const struct release *release)
{
    const struct artifact *artifact = NULL;
    unsigned major, minor;
    if (!release_member(release, "containerd", &artifact) ||
        sscanf(artifact->version, "%u.%u", &major, &minor) != 2)
        return true;
    return major > 1 || (major == 1 && minor >= 5);
}

/* Of Docker's registry the name in images is not that of its server. */
static const char *server_of(const struct registry *registry)
{
    return strcmp(registry->host, "docker.io") == 0 ? "registry-1.docker.io" : registry->host;
}

/* The URL without slashes at its end, which containerd would double. The caller frees it. */
static char *plain_url(const char *url)
{
    size_t len = strlen(url);
    while (len && url[len - 1] == '/')
        len--;
    return heap_printf("%.*s", (int)len, url);
}

/* The path of a plain URL, or "". */
static const char *path_of(const char *url)
{
    const char *path = strchr(strstr(url, "://") + 3, '/');
    return path ? path : "";
}

/* Is the URL's path that of an API already, with more behind it? */
static bool is_whole(const char *url)
{
    return strncmp(path_of(url), "/v2/", 4) == 0;
}

/* HOST:PORT of a URL; the caller frees it. */
static char *authority_of(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    return heap_printf("%.*s", (int)strcspn(host, "/"), host);
}

/* Only https has certificates; before 1.5, one given to http is an error. */
static bool has_ca(const struct registry *registry, const char *url)
{
    return registry->ca && strncmp(url, "https://", 8) == 0;
}

static void add_ca(const struct registry *registry, const char *key, struct buffer *out)
{
    char *path AUTO_FREE = registry_path(registry, "ca.crt");
    buffer_printf(out, "%s = \"%s\"\n", key, path);
}

void registry_hosts_file(const struct registry *registry, struct buffer *out)
{
    buffer_printf(out, "server = \"https://%s\"\n", server_of(registry));
    for (size_t i = 0; i < registry->mirrors.count; i++) {
        char *url AUTO_FREE = plain_url(registry->mirrors.items[i]);
        buffer_printf(out, "\n[host.\"%s\"]\n  capabilities = [\"pull\", \"resolve\"]\n", url);
        if (has_ca(registry, url))
            add_ca(registry, "  ca", out);
        if (is_whole(url))
            buffer_puts(out, "  override_path = true\n");
    }
}

static void add_endpoints(const struct registry *registry, struct buffer *out)
{
    if (!registry->mirrors.count)
        return;
    buffer_printf(out, "\n" TABLE ".mirrors.\"%s\"]\n    endpoint = [", registry->host);
    for (size_t i = 0; i < registry->mirrors.count; i++) {
        char *url AUTO_FREE = plain_url(registry->mirrors.items[i]);
        const char *path = path_of(url);
        /* Unlike that of a hosts.toml, a path is taken as it stands. */
        bool add = *path && !is_whole(url) && strcmp(path + strlen(path) - 3, "/v2") != 0;
        buffer_printf(out, "%s\"%s%s\"", i ? ", " : "", url, add ? "/v2" : "");
    }
    buffer_puts(out, "]\n");
}

/* The hosts that the registry's CA vouches for: its mirrors, or, without any, itself. */
static void find_vouched(const struct registry *registry, struct texts *out)
{
    if (registry->ca && !registry->mirrors.count)
        texts_add(out, server_of(registry));
    for (size_t i = 0; i < registry->mirrors.count; i++) {
        const char *url = registry->mirrors.items[i];
        char *host AUTO_FREE = authority_of(url);
        if (has_ca(registry, url) && !texts_have(out, host))
            texts_add(out, host);
    }
}

/* The first of the registries whose CA vouches for the host. */
static const struct registry *first_to_vouch(const struct settings *settings, const char *host)
{
    for (size_t i = 0; i < settings->registry_count; i++) {
        struct texts hosts AUTO_TEXTS = {0};
        find_vouched(&settings->registries[i], &hosts);
        if (texts_have(&hosts, host))
            return &settings->registries[i];
    }
    return NULL;
}

const struct registry *registry_conflict(const struct settings *settings, char **host)
{
    for (size_t i = 0; i < settings->registry_count; i++) {
        const struct registry *registry = &settings->registries[i];
        struct texts hosts AUTO_TEXTS = {0};
        find_vouched(registry, &hosts);
        for (size_t k = 0; k < hosts.count; k++) {
            const struct registry *first = first_to_vouch(settings, hosts.items[k]);
            if (first && strcmp(first->ca, registry->ca) != 0) {
                *host = heap_copy(hosts.items[k]);
                return registry;
            }
        }
    }
    return NULL;
}

/* A table must not stand twice. */
static void add_authorities(const struct settings *settings, const struct registry *registry,
                            struct buffer *out)
{
    struct texts hosts AUTO_TEXTS = {0};
    find_vouched(registry, &hosts);
    for (size_t k = 0; k < hosts.count; k++) {
        if (first_to_vouch(settings, hosts.items[k]) != registry)
            continue;
        buffer_printf(out, "\n" TABLE ".configs.\"%s\".tls]\n", hosts.items[k]);
        add_ca(registry, "    ca_file", out);
    }
}

void registry_config(const struct settings *settings, bool hosts_files, struct buffer *out)
{
    if (settings->registry_count && hosts_files)
        buffer_puts(out, "\n" TABLE "]\n    config_path = \"" REGISTRY_FOLDER "\"\n");
    for (size_t i = 0; i < settings->registry_count && !hosts_files; i++) {
        add_endpoints(&settings->registries[i], out);
        add_authorities(settings, &settings->registries[i], out);
    }
}
