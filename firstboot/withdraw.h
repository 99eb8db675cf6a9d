/* After a failure nothing of the contract may start. */
#ifndef NB_FIRSTBOOT_WITHDRAW_H
#define NB_FIRSTBOOT_WITHDRAW_H

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/run.h"

/* Takes away what an earlier run (of the machine that this root was copied from, or one that was
 * cut off) has enabled, and of another machine also what it must not keep. A facts file that was
 * refused leaves a folder as it is. */
int withdraw(struct run *r, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Puts another machine's stamp aside, disables what it enabled, and forgets it; then begins this
 * machine's. After a cut the next run does it again. */
int withdraw_other(struct run *r, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Leaves word, on a root that has none, of the machine that could not finish: it boots all the
 * same, and makes keys that a copy of its disk must not keep. */
int withdraw_mark(struct run *r, struct error *err) NONNULL(1, 2) MUST_CHECK;

#endif
