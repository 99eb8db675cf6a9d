/* The services of the lab's network: addresses and names, metadata, balancer, probe, relay. */
#ifndef NB_BUILDER_LAB_SERVICES_H
#define NB_BUILDER_LAB_SERVICES_H

#include <sys/types.h>

#include "builder/lab/lab.h"
#include "common/attributes.h"
#include "common/error.h"

/* Are the programs there that the lab runs? The error names their packages. */
int services_check_tools(struct error *err) NONNULL(1) MUST_CHECK;

/* Makes the network and starts all of them; the working directory is the lab's folder. */
int services_start(struct lab *lab, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Notes that a process has ended, with this status of waitpid, if it is a service's. */
void services_ended(struct lab *lab, pid_t pid, int wait_status) NONNULL(1);

/* Starts again what has ended a moment ago. */
void services_watch(struct lab *lab) NONNULL(1);

#endif
