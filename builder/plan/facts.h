/* The names that templates may hold: what the builder knows, by a table, and what the machine
 * will learn. */
#ifndef NB_BUILDER_FACTS_H
#define NB_BUILDER_FACTS_H

#include <stdbool.h>

#include "builder/plan/plan.h"
#include "common/template.h"

struct facts;

/* Works out every fact that the builder knows. `used` (one bool a fact of the node) is set
 * when a template asks for it. The inputs are borrowed. */
struct facts *facts_create(const struct plan_input *in, bool *used) NONNULL(1, 2);

/* Does nodebake itself supply the fact of that name? */
bool facts_builder_has(const char *name) NONNULL(1);

/* For template_render; ctx is the struct facts. */
template_lookup facts_lookup;

/* Appends the text with the names of texts that hold facts themselves (the profile's values, what
 * the choices of cluster.yaml make of flags) replaced, once. */
void facts_expand(struct facts *facts, const struct buffer *text, struct buffer *out)
    NONNULL(1, 2, 3);

/* Frees the facts; NULL is allowed. */
void facts_free(struct facts *facts);
void facts_free_at(struct facts **facts);
#define AUTO_FACTS __attribute__((cleanup(facts_free_at)))

#endif
