/* The one template syntax: @NAME@ (A-Z, 0-9, _; a letter first), and @@ for a literal @.
 * An @ that begins neither is literal text. */
#ifndef NB_COMMON_TEMPLATE_H
#define NB_COMMON_TEMPLATE_H

#include <stddef.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

enum { FACT_NAME_MAX = 48 }; /* the longest name of a fact, its NUL included */

enum template_answer {
    TEMPLATE_UNKNOWN, /* nobody can supply the name: rendering fails */
    TEMPLATE_VALUE,   /* *value is put in */
    TEMPLATE_LATER    /* the name stays as it is, for the next stage */
};

/* Looks up a name. */
typedef enum template_answer template_lookup(void *ctx, const char *name, const char **value);

/* Appends the text of `text` with its names replaced to `out`. When some name answers
 * TEMPLATE_LATER the result is a template again: each literal @ in it, those of values too, is
 * written @@, and *later (may be NULL) counts such names. The error of an unknown name begins
 * "line N: ". `out` too small is an error. */
int template_render(struct buffer *out, const char *text, size_t len, template_lookup *lookup,
                    void *ctx, unsigned *later, struct error *err) NONNULL(1, 2, 4, 7) MUST_CHECK;

#endif
