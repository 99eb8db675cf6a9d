/* Is there room for the machines? */
#ifndef NB_BUILDER_LAB_MEMORY_H
#define NB_BUILDER_LAB_MEMORY_H

#include "common/attributes.h"
#include "common/error.h"

/* What QEMU takes beside a machine's own memory. */
enum { MEMORY_BESIDE = 128 /* MiB */ };

struct memory_need {
    unsigned long total; /* MiB, QEMU's own included */
    unsigned count;
    char names[160]; /* of the machines, as far as they fit */
};

/* Adds a machine of so many MiB. */
void memory_add(struct memory_need *need, const char *name, unsigned memory) NONNULL(1, 2);

/* What the system has to give, in MiB; 0: unknown. */
unsigned long memory_available(void);

/* Refuses what does not fit; says how much is needed and how much there is. */
int memory_check(const struct memory_need *need, unsigned long available, struct error *err)
    NONNULL(1, 3) MUST_CHECK;

#endif
