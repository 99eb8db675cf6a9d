/* The lab's probe: looks at agents, balancer and API again and again, where waiting hurts nobody.
 */
#ifndef NB_BUILDER_LAB_PROBE_H
#define NB_BUILDER_LAB_PROBE_H

#include <jansson.h>
#include <stdbool.h>
#include <time.h>

#include "builder/lab/lab.h"
#include "common/attributes.h"
#include "common/error.h"

/* What the API server says of a node. */
struct probe_node {
    bool there, ready;
    time_t heartbeat; /* when its kubelet last said so; 0: never */
    char why[256];    /* while it is not ready */
};

/* Finds a node in the API's list of nodes, by its name or its address. */
void probe_read_node(const json_t *list, const struct node *wanted, struct probe_node *out)
    NONNULL(2, 3);

/* Starts the probe; what it sees comes through lab->probe_fd, a line of JSON a round. */
int probe_start(struct lab *lab, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Puts what came of the pipe into the lab's machines. */
void probe_take(struct lab *lab) NONNULL(1);

#endif
