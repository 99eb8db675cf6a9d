/* The units of a contract: links that make systemd start them. */
#ifndef NB_FIRSTBOOT_ENABLE_H
#define NB_FIRSTBOOT_ENABLE_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/contract.h"
#include "firstboot/dirs.h"

/* Links every unit, each by one rename, and fsyncs the directories. */
int enable_units(const struct contract *c, struct dirs *dirs, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Is any unit linked, or a preset of the contract in place? Writes nothing. */
bool enable_any(const struct contract *c, struct dirs *dirs) NONNULL(1, 2);

/* Takes the links and the presets away, as many as can be, and fsyncs their directories. */
int enable_withdraw(const struct contract *c, struct dirs *dirs, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
