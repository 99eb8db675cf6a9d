/* The bytes of a DHCP message, for dhcp.c and dhcp-build.c.
 *
 *  0        20     28                     264      268
 *  | IPv4   | UDP  | BOOTP, 236 bytes     | magic  | options ... end, zeros |
 *                    op +0 xid +4 yiaddr +16 chaddr +28 sname +44 file +108
 */
#ifndef NB_FIRSTBOOT_DHCP_WIRE_H
#define NB_FIRSTBOOT_DHCP_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum {
    IP_SIZE = 20,
    UDP_SIZE = 8,
    BOOTP_XID = 4,
    BOOTP_YIADDR = 16,
    BOOTP_CHADDR = 28,
    BOOTP_SNAME = 44,
    BOOTP_SNAME_SIZE = 64,
    BOOTP_FILE = 108,
    BOOTP_FILE_SIZE = 128,
    BOOTP_MAGIC = 236,
    BOOTP_OPTIONS = 240
};

#define DHCP_MAGIC UINT32_C(0x63825363)

enum {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ROUTER = 3,
    OPTION_REQUESTED = 50,
    OPTION_LEASE = 51,
    OPTION_OVERLOAD = 52,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_WANTED = 55,
    OPTION_ROUTES = 121,
    OPTION_END = 255
};

static inline unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static inline void put16(uint8_t *p, unsigned n)
{
    p[0] = (uint8_t)(n >> 8);
    p[1] = (uint8_t)n;
}

static inline void put32(uint8_t *p, uint32_t n)
{
    put16(p, n >> 16);
    put16(p + 2, n & 0xffff);
}

/* The Internet checksum (RFC 1071) of an IPv4 header; 0 when the one inside is right. */
unsigned ip_checksum(const uint8_t *ip, size_t head);

/* The same of `len` bytes of UDP and the pseudo header. */
unsigned udp_checksum(const uint8_t *ip, const uint8_t *udp, size_t len);

#endif
