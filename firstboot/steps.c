#include "firstboot/steps.h"

#include "firstboot/clock.h"

static const char *const names[STEP_COUNT] = {"contract", "network", "metadata", "stage",
                                              "forget",   "publish", "enable",   "withdraw"};

void steps_begin(struct steps *s)
{
    s->began_ms = s->last_ms = clock_now_ms();
    for (unsigned i = 0; i < STEP_COUNT; i++)
        s->took_ms[i] = -1;
}

void steps_done(struct steps *s, enum step step)
{
    int64_t now = clock_now_ms();
    s->took_ms[step] = now - s->last_ms;
    s->last_ms = now;
}

const char *step_name(enum step step)
{
    return names[step];
}
