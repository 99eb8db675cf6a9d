/* For firstboot-net.t: the lab's metadata service for one node.
 * metadata-try A.B.C.D:PORT NAME ADDRESS POD-CIDR */
#include <stdio.h>

#include "builder/lab/metadata.h"

int main(int argc, char **argv)
{
    struct error err = ERROR_INIT;
    if (argc != 5)
        return 2;
    struct node node = {.name = argv[2], .role = "worker", .address = argv[3], .pod_cidr = argv[4]};
    struct cluster cluster = {.name = "testbed", .nodes = &node, .node_count = 1};
    if (metadata_serve(&(struct gce){.cluster = &cluster}, argv[1], &err) == 0)
        return 0;
    fprintf(stderr, "metadata-try: %s\n", err.text);
    return 1;
}
