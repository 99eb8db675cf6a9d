/* The services of the lab's network: addresses and names, metadata, balancer, probe, relay. */
#ifndef NB_BUILDER_LAB_SERVICES_H
#define NB_BUILDER_LAB_SERVICES_H

#include <stdbool.h>
#include <sys/types.h>

#include "builder/lab/lab.h"
#include "common/attributes.h"
#include "common/error.h"

/* Are the programs there that the lab runs? The error names their packages. */
int services_check_tools(struct error *err) NONNULL(1) MUST_CHECK;

/* Makes the network and starts all of them; the working directory is the lab's folder. */
int services_start(struct lab *lab, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Starts again what has ended, if it is a service; false when it is none. */
bool services_ended(struct lab *lab, pid_t pid) NONNULL(1);

#endif
