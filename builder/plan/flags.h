/* The flags in units: a version's programs refuse to start with one that they do not know. */
#ifndef NB_BUILDER_FLAGS_H
#define NB_BUILDER_FLAGS_H

#include <stdbool.h>

#include "builder/cluster/settings.h"
#include "builder/texts.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Whose unit it is, and for which version. */
struct flags_unit {
    const char *place;               /* of the file, for errors */
    bool own;                        /* the user's */
    unsigned minor;                  /* Kubernetes 1.N */
    const char *file;                /* the cluster file, for errors in `flags` */
    const struct settings *settings; /* whose `flags` nodebake's own get; NULL: none */
};

/* Is it the path of a file in which systemd reads how a program is started? */
bool flags_are_in(const char *path) NONNULL(1);

/* Looks at the flags in the text of a unit or of a drop-in. From nodebake's own those go that the
 * version lacks; in a user's they are refused, by name and line. What that means for people is
 * added to the remarks. The user's flags are added to nodebake's own, or take their places. */
int flags_fit(const struct flags_unit *unit, struct buffer *text, struct texts *remarks,
              struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

#endif
