/* What the process that talks to the network is still allowed to do. */
#ifndef NB_FIRSTBOOT_SANDBOX_H
#define NB_FIRSTBOOT_SANDBOX_H

#include "common/attributes.h"
#include "common/error.h"

/* Closes all descriptors but `keep`. */
void sandbox_close_all_but(int keep);

/* From now on this process opens sockets (IPv4, packet, rtnetlink), uses and closes what it has,
 * and asks for the time and for random numbers; any other system call kills it (SIGSYS). -1 when
 * the kernel cannot do that: then nothing has changed. */
int sandbox_enter(struct error *err) NONNULL(1) MUST_CHECK;

#endif
