/* What long steps tell on standard error: a bar on a terminal, plain lines elsewhere. */
#ifndef NB_BUILDER_PROGRESS_H
#define NB_BUILDER_PROGRESS_H

#include <stdint.h>

#include "common/attributes.h"

/* One step under way; make it with progress_start. */
struct progress {
    char label[80];
    uint64_t total; /* 0: unknown */
    uint64_t done;
    double started, shown; /* seconds, monotonic */
};

/* Begins a step of `total` units (bytes, entries; 0 when unknown). Plain output names the step
 * at once; --quiet (progress_quiet) silences it all. */
struct progress progress_start(uint64_t total, const char *fmt, ...) PRINTF(2, 3);

/* Adds finished units; draws at most ten times a second. NULL is allowed and does nothing. */
void progress_add(struct progress *p, uint64_t units);

/* Ends the step; says how long it took when that was over two seconds. */
void progress_end(struct progress *p) NONNULL(1);

/* Silences all steps to come. */
void progress_quiet(void);

#endif
