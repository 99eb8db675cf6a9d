/* The metadata service of the lab and of the boot tests: answers over HTTP as GCE's does, and
 * below /latest/ as AWS's. */
#ifndef NB_BUILDER_LAB_METADATA_H
#define NB_BUILDER_LAB_METADATA_H

#include "builder/lab/gce.h"
#include "common/attributes.h"
#include "common/error.h"

/* Serves on `listen` (A.B.C.D:PORT; port 0: any free one) until SIGTERM or SIGINT. Who asks is
 * told by the address that the request comes from: it must be that of a node. Prints to stderr
 * where it listens, then a line a request: peer, node, method, path and status, no values. */
int metadata_serve(const struct gce *gce, const char *listen, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
