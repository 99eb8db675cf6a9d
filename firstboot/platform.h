/* Which of a contract's sources this machine backs, and who the machine is by them. */
#ifndef NB_FIRSTBOOT_PLATFORM_H
#define NB_FIRSTBOOT_PLATFORM_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/contract.h"
#include "firstboot/dmi.h"
#include "firstboot/source.h"
#include "firstboot/stamp.h"

/* The first source of the contract that the platform backs; *stamp gets its name and the machine's
 * identity. NULL when there is none, one is unknown, or the identity is no usable one. */
const struct source *platform_choose(const struct contract *c, const struct dmi *dmi,
                                     struct stamp *stamp, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Does the stamp name this machine, by any source of the contract that the platform backs? */
bool platform_is_stamped(const struct contract *c, const struct dmi *dmi, const struct stamp *stamp)
    NONNULL(1, 2, 3);

#endif
