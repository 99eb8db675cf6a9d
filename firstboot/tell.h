/* What a run leaves for people and programs to read: a line, and two files in /run. */
#ifndef NB_FIRSTBOOT_TELL_H
#define NB_FIRSTBOOT_TELL_H

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/run.h"

/* How it ended. */
struct ending {
    enum outcome outcome;
    const char *cause;      /* of a failure; else NULL */
    const char *withdrawal; /* why units may be enabled after a failure; NULL: none is */
    const char *note;       /* what else went wrong; empty: nothing */
};

/* Says it in one line, and in `dir` (made when missing; NULL: nowhere): firstboot.json, and after a
 * failure firstboot.failed with the line, which goes otherwise. That nothing can be written there
 * is no reason to fail.
 */
void tell(const struct run *run, const struct ending *ending, const char *dir) NONNULL(1, 2);

#endif
