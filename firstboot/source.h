/* Where facts come from: a table of sources, a file each. */
#ifndef NB_FIRSTBOOT_SOURCE_H
#define NB_FIRSTBOOT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/clock.h"
#include "firstboot/dmi.h"

/* What a source has at a path; its bytes are valid until the source is asked again. */
struct source_value {
    const char *bytes; /* anything; no NUL ends them */
    size_t len;
};

/* One metadata source. */
struct source {
    const char *name;
    bool network; /* does it need one? */
    /* Where the platform's own name of this instance is; NULL: nowhere. */
    const char *instance;
    /* Does this platform back it? A source that is not backed is never asked. */
    bool (*backed)(const struct dmi *dmi);
    /* Asks for one path: 1 with a value, 0 when the source has none (final), -1 when it could not
     * be asked before the deadline. The value is not checked yet, but has lost a newline at its
     * end. The error names the source and the path. */
    int (*get)(const char *path, struct source_value *value, struct deadline deadline,
               struct error *err);
    /* Forgets what it was told and nobody else may learn; NULL: nothing. */
    void (*wipe)(void);
};

/* The source of that name, or NULL. */
const struct source *source_find(const char *name) NONNULL(1);

extern const struct source source_aws, source_gce;

#endif
