/* What a machine must not keep of the one that its root was copied from. */
#ifndef NB_FIRSTBOOT_FORGET_H
#define NB_FIRSTBOOT_FORGET_H

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/contract.h"
#include "firstboot/dirs.h"
#include "firstboot/stamp.h"

/* Takes away what the contract's `forget` lines name, but for what is staged, and the files of the
 * stamp, empties the machine-id (systemd makes a new one), and fsyncs the directories. What is gone
 * already is fine: the same again changes nothing. After an error the rest is done all the same. */
int forget(const struct contract *c, const struct stamp *found, struct dirs *dirs,
           struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

#endif
