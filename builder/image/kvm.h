/* Does hardware virtualisation work here? /dev/kvm may be there and hang for ever. */
#ifndef NB_BUILDER_KVM_H
#define NB_BUILDER_KVM_H

#include <stdbool.h>

#include "common/attributes.h"

/* True when a kernel of this machine boots under KVM within a few seconds. The answer is kept
 * until the next boot, below $XDG_RUNTIME_DIR, $XDG_CACHE_HOME or ~/.cache. */
bool kvm_works(void);

/* Does a kernel of this machine boot under QEMU's accelerator ("kvm", "tcg") before the deadline?
 * Nothing is kept. */
bool accelerator_boots(const char *accelerator, unsigned seconds) NONNULL(1);

#endif
