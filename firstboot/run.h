/* All that a run of firstboot knows. */
#ifndef NB_FIRSTBOOT_RUN_H
#define NB_FIRSTBOOT_RUN_H

#include <stdbool.h>

#include "firstboot/clock.h"
#include "firstboot/contract.h"
#include "firstboot/dirs.h"
#include "firstboot/dmi.h"
#include "firstboot/facts.h"
#include "firstboot/options.h"
#include "firstboot/root.h"
#include "firstboot/source.h"
#include "firstboot/stamp.h"
#include "firstboot/steps.h"

enum outcome { FAILED = -1, READY, ALREADY, PREVIEWED };

struct run {
    const struct options *options;
    struct steps steps;
    struct deadline deadline;
    struct root root;
    struct contract contract;
    struct dmi dmi;
    struct stamp found;  /* what the root holds; empty strings: no stamp */
    struct stamp wanted; /* what it will hold; without a node until the facts are there */
    const char *files;   /* and the lines `file PATH` of it; empty until then */
    const struct source *source;
    struct facts facts;
    struct dirs dirs;
    bool changed; /* a file of the root was replaced */
};

#endif
