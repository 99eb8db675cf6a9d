/* Who listens on a port of this machine? */
#ifndef NB_BUILDER_LAB_PORT_OWNER_H
#define NB_BUILDER_LAB_PORT_OWNER_H

#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"

/* Finds the socket that listens on 127.0.0.1:port (or on all addresses) in the text of
 * /proc/net/tcp; its inode, 0: none. */
unsigned long port_inode(const char *table, uint16_t port) NONNULL(1);

/* Describes the process ("haproxy, process 42"); "another program" when it cannot be seen. */
void port_owner(uint16_t port, char *text, size_t n) NONNULL(2);

#endif
