/* Is a key misspelt? */
#ifndef NB_BUILDER_YAML_SIMILAR_H
#define NB_BUILDER_YAML_SIMILAR_H

#include <stdbool.h>

#include "common/attributes.h"

/* Are the words the same but for case and one letter: added, left out, another, or two swapped? Of
 * words that are both shorter than four letters only case may differ. */
bool yaml_similar(const char *a, const char *b) NONNULL(1, 2);

#endif
