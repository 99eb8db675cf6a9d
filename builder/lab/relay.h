/* The API from the host: connections to a loopback port there end at the lab's public address. */
#ifndef NB_BUILDER_LAB_RELAY_H
#define NB_BUILDER_LAB_RELAY_H

#include <stdint.h>

#include "common/attributes.h"
#include "common/error.h"

enum { RELAY_CONNECTIONS_MAX = 128 };

/* Listens on 127.0.0.1:*port; with port 0 on a free one, which is set. */
int relay_listen(uint16_t *port, int *fd, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* Passes what comes to the listening socket on to address:port, for ever. At most
 * RELAY_CONNECTIONS_MAX at a time; more wait. */
void relay_run(int listener, const char *address, uint16_t port) NONNULL(2);

#endif
