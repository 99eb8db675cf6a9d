#include <string.h>

#include "firstboot/dhcp-wire.h"
#include "firstboot/dhcp.h"

static uint32_t sum_add(uint32_t sum, const uint8_t *p, size_t len)
{
    for (; len > 1; p += 2, len -= 2)
        sum += get16(p);
    return len ? sum + ((uint32_t)*p << 8) : sum;
}

static unsigned sum_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

unsigned ip_checksum(const uint8_t *ip, size_t head)
{
    return sum_fold(sum_add(0, ip, head));
}

/* The pseudo header: both addresses, the protocol, the UDP length. */
unsigned udp_checksum(const uint8_t *ip, const uint8_t *udp, size_t len)
{
    return sum_fold(sum_add(sum_add((uint32_t)len + 17, ip + 12, 8), udp, len));
}

static uint8_t *put_option(uint8_t *p, uint8_t code, uint32_t value)
{
    p[0] = code;
    p[1] = 4;
    put32(p + 2, value);
    return p + 6;
}

/* There is no client identifier (option 61) on purpose: without one a server knows the client by
 * its hardware address, and gives the same lease to the manager of the real root, which comes with
 * an identifier of its own. */
static void put_options(uint8_t *p, const struct dhcp_answer *offer)
{
    static const uint8_t wanted[] = {OPTION_WANTED, 4,           OPTION_MASK, OPTION_ROUTES,
                                     OPTION_ROUTER, OPTION_LEASE};
    *p++ = OPTION_TYPE;
    *p++ = 1;
    *p++ = offer ? DHCP_REQUEST : DHCP_DISCOVER;
    if (offer) {
        p = put_option(p, OPTION_REQUESTED, offer->address);
        p = put_option(p, OPTION_SERVER, offer->server);
    }
    memcpy(p, wanted, sizeof wanted);
    p[sizeof wanted] = OPTION_END;
}

void dhcp_build(const struct dhcp_id *id, const struct dhcp_answer *offer,
                uint8_t out[static DHCP_PACKET_SIZE])
{
    uint8_t *udp = out + IP_SIZE, *bootp = udp + UDP_SIZE;
    memset(out, 0, DHCP_PACKET_SIZE);
    bootp[0] = 1; /* a request, of Ethernet, with 6 bytes of address */
    bootp[1] = 1;
    bootp[2] = sizeof id->mac;
    put32(bootp + BOOTP_XID, id->xid);
    memcpy(bootp + BOOTP_CHADDR, id->mac, sizeof id->mac);
    put32(bootp + BOOTP_MAGIC, DHCP_MAGIC);
    put_options(bootp + BOOTP_OPTIONS, offer);

    out[0] = 0x45;
    put16(out + 2, DHCP_PACKET_SIZE);
    out[8] = 64;
    out[9] = 17;
    put32(out + 16, 0xffffffff);
    put16(out + 10, ip_checksum(out, IP_SIZE));
    put16(udp, DHCP_CLIENT_PORT);
    put16(udp + 2, DHCP_SERVER_PORT);
    put16(udp + 4, DHCP_PACKET_SIZE - IP_SIZE);
    unsigned sum = udp_checksum(out, udp, DHCP_PACKET_SIZE - IP_SIZE);
    put16(udp + 6, sum ? sum : 0xffff);
}
