#include "firstboot/dhcp.h"

#include <string.h>

#include "firstboot/dhcp-wire.h"

/* Finds the BOOTP message inside the packet: *out and *len. */
static const char *unwrap(const uint8_t *ip, size_t len, bool udp_sum, const uint8_t **out,
                          size_t *out_len)
{
    if (len < IP_SIZE || ip[0] >> 4 != 4)
        return "not an IPv4 packet";
    size_t head = (ip[0] & 15u) * 4u, total = get16(ip + 2);
    if (head < IP_SIZE || total > len || total < head + UDP_SIZE)
        return "IPv4 lengths do not fit";
    if (ip_checksum(ip, head))
        return "bad IPv4 checksum";
    if (ip[9] != 17 || get16(ip + 6) & 0x3fff)
        return "not a whole UDP packet";
    const uint8_t *udp = ip + head;
    size_t udp_len = get16(udp + 4);
    if (get16(udp) != DHCP_SERVER_PORT || get16(udp + 2) != DHCP_CLIENT_PORT)
        return "not from a DHCP server";
    if (udp_len < UDP_SIZE || udp_len > total - head)
        return "UDP length does not fit";
    if (udp_sum && get16(udp + 6) && udp_checksum(ip, udp, udp_len))
        return "bad UDP checksum";
    *out = udp + UDP_SIZE;
    *out_len = udp_len - UDP_SIZE;
    return NULL;
}

/* The areas of a message that hold options: its end and, when option 52 says so, file and sname. */
struct areas {
    const uint8_t *at[3];
    size_t len[3];
    unsigned count;
};

/* One option's value, its pieces joined (RFC 3396). */
struct option {
    uint8_t bytes[512];
    size_t len;
    bool found;
};

static bool area_find(const uint8_t *p, size_t len, uint8_t code, struct option *out)
{
    for (size_t i = 0; i < len && p[i] != OPTION_END;) {
        if (p[i] == OPTION_PAD) {
            i++;
            continue;
        }
        if (len - i < 2 || len - i - 2 < p[i + 1])
            return false;
        size_t n = p[i + 1];
        if (p[i] == code) {
            if (n > sizeof out->bytes - out->len)
                return false;
            memcpy(out->bytes + out->len, p + i + 2, n);
            out->len += n;
            out->found = true;
        }
        i += n + 2;
    }
    return true;
}

/* False when some option does not end inside its area, or the value is too long. */
static bool option_find(const struct areas *areas, uint8_t code, struct option *out)
{
    out->len = 0;
    out->found = false;
    for (unsigned i = 0; i < areas->count; i++)
        if (!area_find(areas->at[i], areas->len[i], code, out))
            return false;
    return true;
}

static bool find_areas(const uint8_t *bootp, size_t len, struct areas *out)
{
    struct option overload;
    *out = (struct areas){.at = {bootp + BOOTP_OPTIONS}, .len = {len - BOOTP_OPTIONS}, .count = 1};
    if (!option_find(out, OPTION_OVERLOAD, &overload))
        return false;
    if (!overload.found)
        return true;
    if (overload.len != 1 || overload.bytes[0] < 1 || overload.bytes[0] > 3)
        return false;
    if (overload.bytes[0] & 1) {
        out->at[out->count] = bootp + BOOTP_FILE;
        out->len[out->count++] = BOOTP_FILE_SIZE;
    }
    if (overload.bytes[0] & 2) {
        out->at[out->count] = bootp + BOOTP_SNAME;
        out->len[out->count++] = BOOTP_SNAME_SIZE;
    }
    return true;
}

static bool is_unicast(uint32_t address)
{
    uint32_t net = address >> 24;
    return net != 0 && net != 127 && net < 224;
}

static uint32_t mask_of(unsigned prefix)
{
    return prefix ? ~UINT32_C(0) << (32 - prefix) : 0;
}

static const char *parse_mask(const struct areas *areas, struct dhcp_answer *out)
{
    struct option option;
    out->prefix = 32;
    if (!option_find(areas, OPTION_MASK, &option) || (option.found && option.len != 4))
        return "bad option 1 (mask)";
    if (!option.found)
        return NULL;
    uint32_t mask = get32(option.bytes);
    while (out->prefix && mask_of(out->prefix) != mask)
        out->prefix--;
    return out->prefix ? NULL : "bad option 1 (mask)";
}

static const char *parse_lease(const struct areas *areas, struct dhcp_answer *out)
{
    struct option option;
    out->seconds = DHCP_LEASE_FOR_EVER;
    if (!option_find(areas, OPTION_LEASE, &option) || (option.found && option.len != 4))
        return "bad option 51 (lease time)";
    if (option.found)
        out->seconds = get32(option.bytes);
    return out->seconds ? NULL : "lease time of 0 seconds";
}

/* Takes the route if it leads to the metadata service and is more specific than the one there. */
static const char *consider(struct dhcp_route *best, bool *any, struct dhcp_route route)
{
    if (route.via && !is_unicast(route.via))
        return "a router that is no unicast address";
    if ((METADATA_ADDRESS & mask_of(route.prefix)) != route.to)
        return NULL;
    if (!*any || route.prefix > best->prefix)
        *best = route;
    *any = true;
    return NULL;
}

/* Option 121: a prefix length, as many bytes of the network as it needs, and the router. */
static const char *parse_routes(const struct option *option, struct dhcp_route *best, bool *any)
{
    const char *bad = "bad option 121 (routes)";
    for (size_t i = 0; i < option->len;) {
        unsigned prefix = option->bytes[i++];
        size_t n = (prefix + 7) / 8;
        if (prefix > 32 || option->len - i < n + 4)
            return bad;
        uint8_t net[4] = {0};
        memcpy(net, option->bytes + i, n);
        struct dhcp_route route = {get32(net) & mask_of(prefix), get32(option->bytes + i + n),
                                   prefix};
        const char *why = consider(best, any, route);
        if (why)
            return why;
        i += n + 4;
    }
    return option->len ? NULL : bad;
}

/* Option 121 replaces option 3 where both are given (RFC 3442). */
static const char *parse_route(const struct areas *areas, struct dhcp_answer *out)
{
    struct option routes, router;
    bool any = false;
    const char *why = NULL;
    if (!option_find(areas, OPTION_ROUTES, &routes) || !option_find(areas, OPTION_ROUTER, &router))
        return "bad option 3 or 121 (routes)";
    if (routes.found)
        why = parse_routes(&routes, &out->route, &any);
    else if (router.found && (router.len < 4 || router.len % 4))
        why = "bad option 3 (router)";
    else if (router.found)
        why = consider(&out->route, &any, (struct dhcp_route){.via = get32(router.bytes)});
    if (!any)
        out->route = (struct dhcp_route){.to = METADATA_ADDRESS, .prefix = 32};
    if (out->route.via == out->address)
        out->route.via = 0; /* the client as its own router: everything is on the link */
    return why;
}

static const char *parse_type(const struct areas *areas, struct dhcp_answer *out)
{
    struct option type, server;
    if (!option_find(areas, OPTION_TYPE, &type) || type.len != 1)
        return "bad option 53 (message type)";
    out->type = type.bytes[0];
    if (out->type != DHCP_OFFER && out->type != DHCP_ACK && out->type != DHCP_NAK)
        return "neither OFFER, ACK nor NAK";
    if (!option_find(areas, OPTION_SERVER, &server) || server.len != 4)
        return "bad option 54 (server)";
    out->server = get32(server.bytes);
    return NULL;
}

static const char *parse_bootp(const uint8_t *bootp, size_t len, const struct dhcp_id *id)
{
    if (len < BOOTP_OPTIONS || get32(bootp + BOOTP_MAGIC) != DHCP_MAGIC)
        return "not a DHCP message";
    if (bootp[0] != 2 || bootp[1] != 1 || bootp[2] != sizeof id->mac)
        return "not an answer for Ethernet";
    if (get32(bootp + BOOTP_XID) != id->xid ||
        memcmp(bootp + BOOTP_CHADDR, id->mac, sizeof id->mac) != 0)
        return "an answer to somebody else";
    return NULL;
}

const char *dhcp_parse(const uint8_t *packet, size_t len, bool udp_sum, const struct dhcp_id *id,
                       struct dhcp_answer *out)
{
    const uint8_t *bootp;
    size_t bootp_len;
    struct areas areas;
    const char *why = unwrap(packet, len, udp_sum, &bootp, &bootp_len);
    if (why || (why = parse_bootp(bootp, bootp_len, id)))
        return why;
    memset(out, 0, sizeof *out);
    if (!find_areas(bootp, bootp_len, &areas))
        return "an option does not end inside its area";
    if ((why = parse_type(&areas, out)) || out->type == DHCP_NAK)
        return why;
    out->address = get32(bootp + BOOTP_YIADDR);
    if (!is_unicast(out->address))
        return "an address that is not unicast";
    if ((why = parse_mask(&areas, out)) || (why = parse_lease(&areas, out)))
        return why;
    return parse_route(&areas, out);
}
