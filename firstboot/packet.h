/* Packet sockets for a host that has no address yet: whole IPv4 packets to and from one link. */
#ifndef NB_FIRSTBOOT_PACKET_H
#define NB_FIRSTBOOT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/attributes.h"

/* Opens a non-blocking socket on the interface that hears UDP packets to `port`; on -1 errno says
 * why. */
int packet_open(int index, uint16_t port) MUST_CHECK;

/* Broadcasts a packet on the interface; on -1 errno says why. */
int packet_broadcast(int fd, int index, const void *packet, size_t len) NONNULL(3) MUST_CHECK;

/* Takes the next packet that fits in `size` bytes; its length, or -1 when there is none.
 * *udp_sum is false when the sender left the UDP checksum to hardware that it never met. */
ssize_t packet_receive(int fd, void *packet, size_t size, bool *udp_sum) NONNULL(2, 4) MUST_CHECK;

#endif
