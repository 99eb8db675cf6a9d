/* A plan for people and for scripts. Contents are never shown, only where they come from. */
#ifndef NB_BUILDER_PRINT_H
#define NB_BUILDER_PRINT_H

#include <stdio.h>

#include "builder/plan/plan.h"

/* Prints every entry, unit, fact and package, what is absent, and remarks. */
void plan_print(const struct plan *plan, FILE *out) NONNULL(1, 2);

/* Prints {"version": 1, "images": […]} with one object a plan. */
int plan_print_json(struct plan *const *plans, size_t n, FILE *out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

#endif
