/* The units of cluster.yaml, and the list of those that firstboot enables. */
#ifndef NB_BUILDER_OWN_UNITS_H
#define NB_BUILDER_OWN_UNITS_H

#include "builder/plan/plan.h"

/* Fills plan->enabled with the role's units and the user's; adds what keeps the user's disabled and
 * masked ones down. To be called when the overlays are in the tree. Refuses units that are nowhere
 * and those that nodebake needs. */
int own_units_add(struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

#endif
