#include <fcntl.h>
#include <string.h>

#include "builder/cmd/pki-common.h"
#include "builder/fleet/bundle.h"
#include "builder/heap.h"
#include "builder/lab/metadata.h"
#include "common/file.h"

/* Leaves the text NULL without the option. */
static int read_keys(const struct args *args, struct buffer *keys, struct error *err)
{
    const char *path = args_value(args, "ssh-keys");
    if (!path)
        return 0;
    if (file_read(AT_FDCWD, path, GCE_KEYS_MAX, keys, err) < 0)
        return -1;
    if (memchr(keys->data, '\0', keys->len))
        return error_set(err, "%s: not a text", path);
    return 0;
}

/* Only with `identity: metadata` are the profile and the keys looked at. */
static int read_bundles(const struct args *args, char ***out, struct error *err)
{
    struct install install AUTO_INSTALL = {0};
    struct profile *profile AUTO_PROFILE = NULL;
    if (args->cluster->identity != IDENTITY_METADATA)
        return 0;
    if (install_find(&install, err) < 0)
        return -1;
    char *dir AUTO_FREE = pki_folder(args);
    char *file AUTO_FREE = install_profile(&install, args->cluster->profile);
    if (profile_load(file, &profile, args->problems, err) < 0)
        return -1;
    profile_choose(profile, args->cluster);
    return bundle_all(args->cluster, profile, dir, out, err);
}

static int run(const struct args *args, struct error *err)
{
    const char *listen = args_value(args, "listen");
    struct buffer keys AUTO_BUFFER = buffer_heap();
    char **bundles = NULL;
    if (pki_passphrase(args, err) < 0 || read_keys(args, &keys, err) < 0 ||
        read_bundles(args, &bundles, err) < 0)
        return -1;
    const struct gce gce = {args->cluster, keys.len ? keys.data : NULL, bundles};
    int result = metadata_serve(&gce, listen ? listen : "169.254.169.254:80", err);
    bundle_free_all(args->cluster, bundles);
    return result;
}

const struct command cmd_metadata = {
    .name = "metadata",
    .operands = "",
    .summary = "Serves the metadata of the cluster's nodes as GCE and AWS do, for test machines",
    .details =
        "Tells the nodes apart by the address that asks. With `identity: metadata` it gives each\n"
        "the keys that `nodebake identity` writes. Runs until SIGINT or SIGTERM.\n",
    .options = {OPTION_CLUSTER,
                {"listen", "ADDRESS:PORT", "where to listen (default: 169.254.169.254:80)"},
                {"ssh-keys", "FILE", "the project's SSH keys, USER:KEY a line"},
                OPTION_PKI,
                OPTIONS_PASSPHRASE},
    .needs = NEEDS_CLUSTER,
    .run = run,
};
