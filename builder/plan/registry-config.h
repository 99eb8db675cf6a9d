/* What containerd reads about registries: one hosts.toml a registry since 1.5, its own config
 * before. */
#ifndef NB_BUILDER_REGISTRY_CONFIG_H
#define NB_BUILDER_REGISTRY_CONFIG_H

#include <stdbool.h>

#include "builder/artifact/release.h"
#include "builder/cluster/settings.h"
#include "common/buffer.h"

#define REGISTRY_FOLDER "/etc/containerd/certs.d"

/* Where the registry's hosts.toml, or the certificates of its CA, lie in the image; the caller
 * frees it. */
char *registry_path(const struct registry *registry, const char *name) NONNULL(1, 2);

/* Does the release's containerd read hosts.toml? One of an unknown version does. */
bool registry_has_hosts_files(const struct release *release) NONNULL(1);

/* Appends the text of the hosts.toml of a registry with mirrors. One without needs none: containerd
 * takes the *.crt beside where it would be for the registry's own CA. */
void registry_hosts_file(const struct registry *registry, struct buffer *out) NONNULL(1, 2);

/* Appends the part of containerd's config.toml that is about registries: an empty line and what
 * follows it; nothing when there are none. */
void registry_config(const struct settings *settings, bool hosts_files, struct buffer *out)
    NONNULL(1, 3);

/* Finds two registries that give the same host different CAs, which a config without hosts.toml
 * cannot say: returns the second and sets *host, which the caller frees; NULL when there are
 * none. */
const struct registry *registry_conflict(const struct settings *settings, char **host)
    NONNULL(1, 2);

#endif
