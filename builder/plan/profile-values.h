/* The `values` of a profile: texts that overlays and their paths may name. */
#ifndef NB_BUILDER_PROFILE_VALUES_H
#define NB_BUILDER_PROFILE_VALUES_H

#include "builder/plan/overlay.h"
#include "builder/plan/profile.h"
#include "builder/yaml/yaml.h"

/* Destination struct profile: a list of names with their texts. */
yaml_reader profile_read_values;

/* Puts values into the paths of overlays' files: a component @NAME@ becomes the value, which is an
 * absolute path. Fails for a name that is none. */
int profile_place(const struct profile *profile, struct overlay_list *list, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
