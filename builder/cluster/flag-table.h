/* Which command-line flags of Kubernetes' programs exist in which versions. */
#ifndef NB_BUILDER_FLAG_TABLE_H
#define NB_BUILDER_FLAG_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"

struct flag_row {
    const char *component;
    const char *flag; /* without the dashes */
    unsigned to;      /* the last 1.N that has it; 0: all do */
    unsigned ours_to; /* the last for which nodebake itself writes it; 0: as long as it is there */
    const char *instead; /* what to do without it, for people; or NULL */
    const char *source;  /* where upstream says so */
};

/* The row of a flag, or NULL. One of all components stands for each of them. */
const struct flag_row *flag_find(const char *component, const char *flag) NONNULL(1, 2);

/* Is the program, by its file name, one of Kubernetes' whose flags are known? */
bool flag_component(const char *program) NONNULL(1);

/* The i-th row, or NULL behind the last. */
const struct flag_row *flag_at(size_t i);

#endif
