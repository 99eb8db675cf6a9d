/* What the user's own files and overlays may not replace. */
#ifndef NB_BUILDER_OWN_H
#define NB_BUILDER_OWN_H

#include "builder/plan/overlay.h"
#include "builder/plan/plan.h"

/* Refuses a file of the user's at a place that is nodebake's own, that something of the plan has
 * already, or that a running system hides. To be called before the file is in the tree. */
int own_check(const struct plan *plan, const struct overlay_file *file, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* The path by which the base most probably has the place: /bin/x is /usr/bin/x. The caller frees
 * it. */
char *own_real_path(const char *path) NONNULL(1);

#endif
