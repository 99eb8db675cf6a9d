/* DHCP on all interfaces at once, over packet sockets, until one has a lease. */
#ifndef NB_FIRSTBOOT_DHCP_CLIENT_H
#define NB_FIRSTBOOT_DHCP_CLIENT_H

#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/clock.h"
#include "firstboot/interface.h"

/* Sets links up, waits for carriers and asks on each; *index is the interface whose server was the
 * first to acknowledge *lease. Interfaces may come and go meanwhile. Those that it set up stay up
 * until dhcp_client_down. The error says what was missing, and for how long. */
int dhcp_client_run(int nl, struct deadline deadline, int *index, struct dhcp_answer *lease,
                    struct error *err) NONNULL(3, 4, 5) MUST_CHECK;

/* How many Ethernet interfaces the last run knew. */
unsigned dhcp_client_interfaces(void);

/* The next run asks on that interface only when others have had time to answer; `why` (a literal)
 * stands in the error should none have a lease. */
void dhcp_client_pass_over(int index, const char *why) NONNULL(2);

/* Notes from now on in `list`, which is all 0, which links were set up: their indices, 0 for none.
 */
void dhcp_client_raised(int list[static INTERFACES_MAX]);

/* Sets down the links that dhcp_client_run set up. */
void dhcp_client_down(int nl);

#endif
