/* What a user wants of the lab: which machines, of which images, how large. */
#ifndef NB_BUILDER_LAB_WISHES_H
#define NB_BUILDER_LAB_WISHES_H

#include <jansson.h>

#include "builder/cluster/cluster.h"
#include "builder/plan/target.h"
#include "common/attributes.h"
#include "common/error.h"

/* Sizes and spans of the command line. */
enum { LAB_MEMORY_LEAST = 64, LAB_MEMORY_MOST = 1 << 20 /* MiB */, LAB_TIMEOUT_MOST = 86400 };

/* Reads 512MiB or 2GiB into MiB. */
int wishes_memory(const char *text, unsigned *mib, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* Reads 90s, 15m or 1h into seconds. */
int wishes_timeout(const char *text, unsigned *seconds, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Reads 1 to 65535. */
int wishes_port(const char *text, uint16_t *port, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* The newest image in the folder of the first name, NAME.raw or NAME.qcow2, or else of the second
 * one, if there is one: its absolute path, which the caller frees, and its format. Without any it
 * is an error, which says how it is made. */
int wishes_image(const struct cluster *cluster, const char *out, const char *const names[2],
                 char **path, const char **format, struct error *err)
    NONNULL(1, 2, 3, 4, 5, 6) MUST_CHECK;

/* The nodes of the targets (a role stands for all its nodes), each once, as the array "nodes" of a
 * request. `memory` 0: what the role's profile says. All images that lack are named at once. */
int wishes_make(const struct cluster *cluster, const struct target *targets, size_t n,
                const char *out, unsigned memory, json_t **wishes, struct error *err)
    NONNULL(1, 2, 4, 6, 7) MUST_CHECK;

#endif
