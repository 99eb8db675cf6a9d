/* Where a node's pods learn of DNS servers: never at an address that is the node's own, such as
 * 127.0.0.53, which in a pod is nobody's. */
#ifndef NB_BUILDER_RESOLVER_H
#define NB_BUILDER_RESOLVER_H

#include "builder/plan/plan.h"

enum resolver {
    RESOLVER_RESOLVED, /* systemd-resolved runs: its own list of servers serves pods */
    RESOLVER_START,    /* the base has it, but does not start it, and nobody else would do */
    RESOLVER_FILE,     /* /etc/resolv.conf as it is, or as the network's manager writes it */
    RESOLVER_DROP,     /* the same, but what the base has there is in the manager's way */
    RESOLVER_NONE,     /* nobody would write /etc/resolv.conf */
    RESOLVER_LOCAL     /* it names a server on the node itself */
};

/* What it will be on an image of this input, whose base is known. */
enum resolver resolver_of(const struct plan_input *in) NONNULL(1);

/* Does the text of a resolv.conf(5) name a server at a loopback address? */
bool resolver_is_local(const char *text) NONNULL(1);

#endif
