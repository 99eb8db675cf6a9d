/* How long each step of a run took. */
#ifndef NB_FIRSTBOOT_STEPS_H
#define NB_FIRSTBOOT_STEPS_H

#include <stdint.h>

#include "common/attributes.h"

/* In the order of a run; the network and the metadata are the second process's. */
enum step {
    STEP_CONTRACT, /* and what the firmware and the stamp say */
    STEP_NETWORK,
    STEP_METADATA,
    STEP_STAGE, /* all files beside their places */
    STEP_FORGET,
    STEP_PUBLISH,
    STEP_ENABLE, /* and the stamp */
    STEP_WITHDRAW,
    STEP_COUNT
};

struct steps {
    int64_t began_ms; /* CLOCK_BOOTTIME, as the kernel's log counts */
    int64_t last_ms;
    int64_t took_ms[STEP_COUNT]; /* -1: the step was not made */
};

/* Begins now. */
void steps_begin(struct steps *s) NONNULL(1);

/* The time since the step before was this one's. */
void steps_done(struct steps *s, enum step step) NONNULL(1);

/* "contract", "network" and so on. */
const char *step_name(enum step step);

#endif
