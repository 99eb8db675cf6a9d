/* The process that keeps the lab: starts the network and its services, watches the machines, and
 * does what clients ask. */
#ifndef NB_BUILDER_LAB_SUPERVISOR_H
#define NB_BUILDER_LAB_SUPERVISOR_H

#include <jansson.h>

#include "builder/lab/lab.h"
#include "common/attributes.h"
#include "common/error.h"

/* Starts it in the background; returns when it answers. cluster, dir, lock, listener, port,
 * kubeconfig, kvm and digest of the lab are set. */
int supervisor_start(struct lab *lab, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Handles requests of clients; a control_handler whose ctx is the lab. */
json_t *supervisor_handle(void *lab, const char *op, const json_t *request, struct error *err);

/* Begins to power the machines off; with `now` they are killed. */
void supervisor_end(struct lab *lab, bool now) NONNULL(1);

#endif
