/* What an image says of itself: /usr/lib/nodebake/image.json. Format: docs/inspect.md. */
#ifndef NB_BUILDER_ABOUT_H
#define NB_BUILDER_ABOUT_H

#include "builder/plan/plan.h"
#include "common/buffer.h"

/* Appends it: whose image it is, of what it was made. The plan's tree must have all files of the
 * release. */
int about_write(const struct plan *plan, struct buffer *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
