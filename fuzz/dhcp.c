/* A packet from the network, as the DHCP client meets it. */
#include <assert.h>
#include <string.h>

#include "firstboot/dhcp-wire.h"
#include "firstboot/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const struct dhcp_answer *a)
{
    assert(a->type == DHCP_OFFER || a->type == DHCP_ACK || a->type == DHCP_NAK);
    if (a->type == DHCP_NAK)
        return;
    assert(a->address >> 24 != 0 && a->address >> 24 < 224);
    assert(a->prefix >= 1 && a->prefix <= 32 && a->seconds > 0);
    assert(a->route.prefix <= 32 && a->route.via != a->address);
    uint32_t mask = a->route.prefix ? ~UINT32_C(0) << (32 - a->route.prefix) : 0;
    assert((METADATA_ADDRESS & mask) == a->route.to);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct dhcp_id id = {0x12345678, {2, 0, 0, 0, 0, 1}};
    static uint8_t packet[2048];
    struct dhcp_answer answer;
    if (!dhcp_parse(bytes, len, true, &id, &answer))
        check(&answer);
    /* Nobody guesses checksums: the header's is made right, so that what is behind is reached. */
    if (len < IP_SIZE || len > sizeof packet)
        return 0;
    memcpy(packet, bytes, len);
    size_t head = (packet[0] & 15u) * 4u;
    packet[10] = packet[11] = 0;
    if (head <= len) {
        unsigned sum = ip_checksum(packet, head);
        packet[10] = (uint8_t)(sum >> 8);
        packet[11] = (uint8_t)sum;
    }
    if (!dhcp_parse(packet, len, false, &id, &answer))
        check(&answer);
    return 0;
}
