/* For tests of the lab: a cluster of one controller and two workers. */
#ifndef NB_BUILDER_LAB_FIXTURE_H
#define NB_BUILDER_LAB_FIXTURE_H

#include "builder/cluster/cluster.h"

static struct node fixture_nodes[] = {{.name = (char *)"controller-0",
                                       .role = (char *)"controller",
                                       .address = (char *)"10.240.0.10"},
                                      {.name = (char *)"worker-0",
                                       .role = (char *)"worker",
                                       .address = (char *)"10.240.0.20",
                                       .pod_cidr = (char *)"10.200.0.0/24"},
                                      {.name = (char *)"worker-1",
                                       .role = (char *)"worker",
                                       .address = (char *)"10.240.0.21",
                                       .pod_cidr = (char *)"10.200.1.0/24"}};

static const struct cluster fixture = {.name = (char *)"c",
                                       .file = (char *)"cluster.yaml",
                                       .public_address = (char *)"10.240.0.100",
                                       .nodes_cidr = (char *)"10.240.0.0/24",
                                       .domain = (char *)"cluster.local",
                                       .nodes = fixture_nodes,
                                       .node_count = 3};

#endif
