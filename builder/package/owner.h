/* Users and groups of a system, by name. */
#ifndef NB_BUILDER_OWNER_H
#define NB_BUILDER_OWNER_H

#include <stdint.h>

#include "builder/image/dpkg.h"
#include "common/attributes.h"

/* The number of the name in a text such as /etc/passwd or /etc/group; `otherwise` when it has none,
 * or name is NULL. */
uint32_t owner_number(struct dpkg_text text, const char *name, uint32_t otherwise);

#endif
