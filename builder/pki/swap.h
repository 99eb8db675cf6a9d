/* Another CA in the place of the one that is there, although that takes several files: the new pair
 * lies beside, as STEM-new-key.pem and STEM-new.pem, until all is in its place. */
#ifndef NB_BUILDER_SWAP_H
#define NB_BUILDER_SWAP_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Writes the new pair beside. From then on swap_finish will put it in place, also in a later run.
 */
int swap_begin(int folder, const char *stem, const struct buffer *key, const struct buffer *cert,
               struct error *err) NONNULL(2, 3, 4, 5) MUST_CHECK;

/* Is a pair on its way into its place? */
int swap_pending(int folder, const char *stem, bool *pending, struct error *err)
    NONNULL(2, 3, 4) MUST_CHECK;

/* Puts a pair that was written beside in its place; what was there becomes STEM-old-key.pem and
 * STEM-old.pem. Half a pair is removed. Counts the files written. */
int swap_finish(int folder, const char *stem, unsigned *written, struct error *err)
    NONNULL(2, 3, 4) MUST_CHECK;

#endif
