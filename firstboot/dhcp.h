/* DHCPv4 messages (RFC 2131, 2132, 3396, 3442) as whole IPv4 packets: pure functions over bytes. */
#ifndef NB_FIRSTBOOT_DHCP_H
#define NB_FIRSTBOOT_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"

enum {
    DHCP_PACKET_SIZE = 328, /* what dhcp_build writes: IPv4, UDP and the 300 bytes of BOOTP */
    DHCP_CLIENT_PORT = 68,
    DHCP_SERVER_PORT = 67
};

#define METADATA_ADDRESS    UINT32_C(0xa9fea9fe) /* 169.254.169.254 */
#define DHCP_LEASE_FOR_EVER UINT32_C(0xffffffff)

enum dhcp_type { DHCP_DISCOVER = 1, DHCP_OFFER = 2, DHCP_REQUEST = 3, DHCP_ACK = 5, DHCP_NAK = 6 };

/* Whose conversation a message belongs to. */
struct dhcp_id {
    uint32_t xid;
    uint8_t mac[6];
};

/* The way to METADATA_ADDRESS; via 0: on the link itself. */
struct dhcp_route {
    uint32_t to, via;
    unsigned prefix;
};

/* What a server says; addresses in host byte order. */
struct dhcp_answer {
    enum dhcp_type type; /* DHCP_OFFER, DHCP_ACK or DHCP_NAK; of a NAK only `server` is set */
    uint32_t server;     /* the server's identifier */
    uint32_t address;    /* for the client; a unicast address */
    unsigned prefix;     /* 1 to 32; 32 when the server gave no mask */
    uint32_t seconds;    /* of the lease, not 0; DHCP_LEASE_FOR_EVER: it does not end */
    struct dhcp_route route;
};

/* Writes a broadcast DISCOVER (offer is NULL), or the REQUEST that takes the offer up. */
void dhcp_build(const struct dhcp_id *id, const struct dhcp_answer *offer,
                uint8_t out[static DHCP_PACKET_SIZE]) NONNULL(1);

/* Reads an IPv4 packet from a server. NULL when it is a sound answer to `id`; otherwise why it is
 * not, and *out is undefined. The route is the most specific one of option 121, else the default
 * route of option 3, else METADATA_ADDRESS on the link. `udp_sum` is false when the UDP checksum
 * has not been filled in (packets of this machine's own virtual links). */
const char *dhcp_parse(const uint8_t *packet, size_t len, bool udp_sum, const struct dhcp_id *id,
                       struct dhcp_answer *out) NONNULL(1, 4, 5) MUST_CHECK;

#endif
