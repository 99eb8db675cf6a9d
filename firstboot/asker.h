/* The network is asked by a process of its own, which holds nothing of the root. */
#ifndef NB_FIRSTBOOT_ASKER_H
#define NB_FIRSTBOOT_ASKER_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/clock.h"
#include "firstboot/facts.h"
#include "firstboot/steps.h"

/* What comes back: as many bytes, whatever was asked. */
struct answer {
    bool unfiltered;            /* the kernel could not install the filter */
    bool failed;                /* why is in `error` */
    char error[ERROR_TEXT_MAX]; /* one line */
    int64_t took_ms[2];         /* STEP_NETWORK and STEP_METADATA; -1: not made */
    char instance[VALUE_MAX];
    char values[CONTRACT_FACTS_MAX][VALUE_MAX];
    struct bundle bundle;
    struct {
        char text[SSH_KEYS_MAX];
        unsigned count, bad, expiring, surplus, first_bad;
    } keys;
};

/* What the process does: fills the facts in, and how long that took. */
typedef int asker_job(void *ctx, struct facts *facts, struct steps *steps, struct error *err);

/* What undoes in a process what the job did in another, which was killed. */
typedef void asker_undo(void);

/* Runs the job in a second process (no descriptor is open in it but a pipe, and its system calls
 * are filtered), waits for it, and takes its facts over, each checked once more against its type. A
 * job that outlives the deadline by ASKER_GRACE_MS is killed. After one that was killed, `undo`
 * (NULL: nothing) runs in a process of the same kind, for as long as that. */
int asker_run(struct facts *facts, struct steps *steps, asker_job *job, asker_undo *undo, void *ctx,
              struct deadline deadline, struct error *err) NONNULL(1, 2, 3, 7) MUST_CHECK;

enum { ASKER_GRACE_MS = 2000 }; /* to take the network down */

/* Takes over what a process sent, which is not trusted; the error is its own or says what is wrong
 * with it. */
int asker_take(const struct answer *answer, struct facts *facts, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
