/* A user, network and pid namespace without root. */
#ifndef NB_BUILDER_LAB_NAMESPACE_H
#define NB_BUILDER_LAB_NAMESPACE_H

#include "common/attributes.h"
#include "common/error.h"

/* Moves the process into a new user and network namespace, as root there; its next child is
 * process 1 of a new pid namespace. Sockets that it has stay in the network where they were made.
 * It must have one thread. */
int namespace_enter(struct error *err) NONNULL(1) MUST_CHECK;

#endif
