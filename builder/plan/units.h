/* The units of an image that do not wait for firstboot. */
#ifndef NB_BUILDER_UNITS_H
#define NB_BUILDER_UNITS_H

#include "builder/plan/plan.h"

/* Adds the links of plan->always and, of all links in the tree that switch units on and removals
 * that switch units off, the preset that says the same: systemd applies presets where it takes a
 * boot for the first one. To be called when parts and overlays are in the tree. */
int units_add(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

#endif
