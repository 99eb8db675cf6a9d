/* The balancer in front of the API servers: what haproxy is told, and what it tells. */
#ifndef NB_BUILDER_LAB_BALANCER_H
#define NB_BUILDER_LAB_BALANCER_H

#include <stdbool.h>

#include "builder/cluster/cluster.h"
#include "common/attributes.h"
#include "common/buffer.h"

enum { API_PORT = 6443 };

/* Appends haproxy's configuration: TCP from the public address to the controllers whose port 80
 * answers /healthz, as the cloud's balancer asks. */
void balancer_config(const struct cluster *cluster, struct buffer *out) NONNULL(1, 2);

/* Finds a controller in the answer to `show stat`: is it up? `why` (size n) says what its check
 * found. False when it is not there, too. */
bool balancer_up(const char *stat, const char *controller, char *why, size_t n) NONNULL(1, 2, 3);

#endif
