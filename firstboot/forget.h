/* What a machine must not keep of the one that its root was copied from. */
#ifndef NB_FIRSTBOOT_FORGET_H
#define NB_FIRSTBOOT_FORGET_H

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/contract.h"
#include "firstboot/dirs.h"
#include "firstboot/stamp.h"

/* Empties the machine-id (systemd makes a new one), takes away what the contract's `forget` lines
 * name, and those files of the stamp that are not among the lines `file PATH` of `keep`; fsyncs the
 * directories. What is gone already is fine: the same again changes nothing. */
int forget(const struct contract *c, const struct stamp *found, const char *keep, struct dirs *dirs,
           struct error *err) NONNULL(1, 2, 3, 4, 5) MUST_CHECK;

#endif
