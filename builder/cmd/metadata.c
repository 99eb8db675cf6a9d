#include <fcntl.h>
#include <string.h>

#include "builder/command.h"
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

static int run(const struct args *args, struct error *err)
{
    const char *listen = args_value(args, "listen");
    struct buffer keys AUTO_BUFFER = buffer_heap();
    if (read_keys(args, &keys, err) < 0)
        return -1;
    const struct gce gce = {args->cluster, keys.len ? keys.data : NULL};
    return metadata_serve(&gce, listen ? listen : "169.254.169.254:80", err);
}

const struct command cmd_metadata = {
    .name = "metadata",
    .operands = "",
    .summary = "Serves the metadata of the cluster's nodes as GCE does, for test machines",
    .details = "Tells the nodes apart by the address that asks. Runs until SIGINT or SIGTERM.\n",
    .options = {OPTION_CLUSTER,
                {"listen", "ADDRESS:PORT", "where to listen (default: 169.254.169.254:80)"},
                {"ssh-keys", "FILE", "the project's SSH keys, USER:KEY a line"}},
    .needs = NEEDS_CLUSTER,
    .run = run,
};
