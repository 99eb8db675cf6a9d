#include "builder/lab/metadata.h"
#include "builder/command.h"

static int run(const struct args *args, struct error *err)
{
    const char *listen = args_value(args, "listen");
    return metadata_serve(args->cluster, listen ? listen : "169.254.169.254:80", err);
}

const struct command cmd_metadata = {
    .name = "metadata",
    .operands = "",
    .summary = "Serves the metadata of the cluster's nodes as GCE does, for test machines",
    .details = "Tells the nodes apart by the address that asks. Runs until SIGINT or SIGTERM.\n",
    .options = {OPTION_CLUSTER,
                {"listen", "ADDRESS:PORT", "where to listen (default: 169.254.169.254:80)"}},
    .needs = NEEDS_CLUSTER,
    .run = run,
};
