/* firstboot's command line. */
#ifndef NB_FIRSTBOOT_OPTIONS_H
#define NB_FIRSTBOOT_OPTIONS_H

#include <stdbool.h>

#include "common/attributes.h"

struct options {
    const char *root;
    const char *facts; /* NULL: from the metadata */
    const char *dmi;
    const char *state; /* where the outcome is told; NULL: nowhere but in a line */
    bool kmsg;
    bool obey; /* do what the contract says on a failure */
    bool dry_run;
};

/* Reads the arguments into *out. -1: go on; otherwise the exit status: --help and --version were
 * answered (0), or the usage was wrong (2) and standard error says how. */
int options_parse(int argc, char **argv, struct options *out) NONNULL(3);

#endif
