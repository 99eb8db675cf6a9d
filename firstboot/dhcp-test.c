#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firstboot/dhcp-fixture.h"
#include "firstboot/dhcp-wire.h"

enum { HEAD = IP_SIZE + UDP_SIZE };

/* What a server could send, in pieces that a test bends. */
struct packet {
    uint8_t bytes[1024];
    size_t len;
};

static void seal_ip(struct packet *p)
{
    put16(p->bytes + 10, 0);
    put16(p->bytes + 10, ip_checksum(p->bytes, IP_SIZE));
}

static void seal(struct packet *p)
{
    put16(p->bytes + 2, (unsigned)p->len);
    seal_ip(p);
    put16(p->bytes + IP_SIZE + 4, (unsigned)p->len - IP_SIZE);
    put16(p->bytes + IP_SIZE + 6, 0);
    put16(p->bytes + IP_SIZE + 6, udp_checksum(p->bytes, p->bytes + IP_SIZE, p->len - IP_SIZE));
}

/* A sealed answer for ADDRESS with these options. */
static struct packet packet_of(const void *options, size_t len)
{
    struct packet p = {.len = HEAD + BOOTP_OPTIONS + len};
    uint8_t *bootp = p.bytes + HEAD;
    assert_true(p.len <= sizeof p.bytes);
    p.bytes[0] = 0x45;
    p.bytes[8] = 64;
    p.bytes[9] = 17;
    put32(p.bytes + 12, SERVER);
    put32(p.bytes + 16, ADDRESS);
    put16(p.bytes + IP_SIZE, DHCP_SERVER_PORT);
    put16(p.bytes + IP_SIZE + 2, DHCP_CLIENT_PORT);
    bootp[0] = 2;
    bootp[1] = 1;
    bootp[2] = 6;
    put32(bootp + BOOTP_XID, id.xid);
    put32(bootp + BOOTP_YIADDR, ADDRESS);
    memcpy(bootp + BOOTP_CHADDR, id.mac, 6);
    put32(bootp + BOOTP_MAGIC, DHCP_MAGIC);
    memcpy(bootp + BOOTP_OPTIONS, options, len);
    seal(&p);
    return p;
}

/* From a copy without a byte to spare, so that a sanitizer sees every read behind its end. */
static const char *parse(const struct packet *p, struct dhcp_answer *out)
{
    uint8_t *copy = malloc(p->len ? p->len : 1);
    memcpy(copy, p->bytes, p->len);
    const char *why = dhcp_parse(copy, p->len, true, &id, out);
    free(copy);
    return why;
}

#define OFFER       "\x35\x01\x02"
#define ACK         "\x35\x01\x05"
#define SERVER_ID   "\x36\x04\x0a\xf0\x00\x01"
#define MASK_24     "\x01\x04\xff\xff\xff\x00"
#define LEASE_HOUR  "\x33\x04\x00\x00\x0e\x10"
#define ROUTER      "\x03\x04\x0a\xf0\x00\x01"
#define ROUTER_TWO  "\x03\x08\x0a\xf0\x00\x01\x0a\xf0\x00\x02"
#define END         "\xff"
#define BYTES(text) text, sizeof(text) - 1

static const struct good {
    const char *options;
    size_t len;
    unsigned type, prefix;
    uint32_t seconds, to, via;
    unsigned route_prefix;
} good[] = {
    {BYTES(OFFER SERVER_ID MASK_24 LEASE_HOUR ROUTER END), 2, 24, 3600, 0, SERVER, 0},
    {BYTES(ACK SERVER_ID MASK_24 LEASE_HOUR ROUTER_TWO END), 5, 24, 3600, 0, SERVER, 0},
    {BYTES("\0\0" ACK "\0" SERVER_ID "\0" ROUTER "\0\0"), 5, 32, DHCP_LEASE_FOR_EVER, 0, SERVER, 0},
    {BYTES(ACK SERVER_ID MASK_24 END), 5, 24, DHCP_LEASE_FOR_EVER, METADATA_ADDRESS, 0, 32},
    {BYTES(ACK SERVER_ID "\x01\x04\xff\xff\xff\xff" ROUTER END), 5, 32, DHCP_LEASE_FOR_EVER, 0,
     SERVER, 0},
    {BYTES(ACK SERVER_ID "\x01\x04\x80\0\0\0" ROUTER END), 5, 1, DHCP_LEASE_FOR_EVER, 0, SERVER, 0},
    /* The client is its own router. */
    {BYTES(ACK SERVER_ID "\x03\x04\x0a\xf0\x00\x14" END), 5, 32, DHCP_LEASE_FOR_EVER, 0, 0, 0},
    /* Option 121 with GCE's two routes; option 3 does not count beside it. */
    {BYTES(ACK SERVER_ID "\x79\x0e\x20\x0a\xf0\x00\x01\0\0\0\0\0\x0a\xf0\x00\x01"
                         "\x03\x04\x0a\xf0\x00\x63" END),
     5, 32, DHCP_LEASE_FOR_EVER, 0, SERVER, 0},
    /* The most specific route that leads to the metadata service, wherever it stands. */
    {BYTES(ACK SERVER_ID "\x79\x14\0\x0a\xf0\x00\x63\x10\xa9\xfe\x0a\xf0\x00\x01"
                         "\x18\xa9\xfe\x01\x0a\xf0\x00\x62" END),
     5, 32, DHCP_LEASE_FOR_EVER, 0xa9fe0000, SERVER, 16},
    /* Bits of the network behind its prefix are cleared: 169.254.255/17 holds 169.254.169.254. */
    {BYTES(ACK SERVER_ID "\x79\x08\x11\xa9\xfe\xff\x0a\xf0\x00\x01" END), 5, 32,
     DHCP_LEASE_FOR_EVER, 0xa9fe8000, SERVER, 17},
    /* Routes to elsewhere only: the service is on the link. */
    {BYTES(ACK SERVER_ID "\x79\x06\x08\x0a\x0a\xf0\x00\x01" ROUTER END), 5, 32, DHCP_LEASE_FOR_EVER,
     METADATA_ADDRESS, 0, 32},
    /* An option in two pieces (RFC 3396). */
    {BYTES(ACK SERVER_ID "\x79\x02\0\x0a" MASK_24 "\x79\x03\xf0\x00\x01" END), 5, 24,
     DHCP_LEASE_FOR_EVER, 0, SERVER, 0},
    /* Options behind the end do not count. */
    {BYTES(ACK SERVER_ID ROUTER END MASK_24 "\x01"), 5, 32, DHCP_LEASE_FOR_EVER, 0, SERVER, 0},
};

static void sound_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const struct good *g = &good[i];
        struct packet p = packet_of(g->options, g->len);
        struct dhcp_answer a;
        const char *why = parse(&p, &a);
        if (why)
            fail_msg("%zu: %s", i, why);
        assert_int_equal(a.type, g->type);
        assert_int_equal(a.address, ADDRESS);
        assert_int_equal(a.server, SERVER);
        assert_int_equal(a.prefix, g->prefix);
        assert_int_equal(a.seconds, g->seconds);
        assert_int_equal(a.route.to, g->to);
        assert_int_equal(a.route.via, g->via);
        assert_int_equal(a.route.prefix, g->route_prefix);
    }
}

static void a_refusal_needs_no_address(void **state)
{
    (void)state;
    struct packet p = packet_of(BYTES("\x35\x01\x06" SERVER_ID END));
    struct dhcp_answer a;
    put32(p.bytes + HEAD + BOOTP_YIADDR, 0);
    seal(&p);
    assert_null(parse(&p, &a));
    assert_int_equal(a.type, DHCP_NAK);
    assert_int_equal(a.server, SERVER);
}

static void options_may_stand_in_file_and_sname(void **state)
{
    (void)state;
    struct dhcp_answer a;
    struct packet p = packet_of(BYTES(ACK SERVER_ID "\x34\x01\x03" END));
    memcpy(p.bytes + HEAD + BOOTP_FILE, BYTES(MASK_24 END));
    memcpy(p.bytes + HEAD + BOOTP_SNAME, BYTES(ROUTER END));
    seal(&p);
    assert_null(parse(&p, &a));
    assert_int_equal(a.prefix, 24);
    assert_int_equal(a.route.via, SERVER);

    p.bytes[HEAD + BOOTP_OPTIONS + 11] = 1; /* file only */
    seal(&p);
    assert_null(parse(&p, &a));
    assert_int_equal(a.prefix, 24);
    assert_int_equal(a.route.via, 0);

    p.bytes[HEAD + BOOTP_OPTIONS + 11] = 2; /* sname only */
    seal(&p);
    assert_null(parse(&p, &a));
    assert_int_equal(a.prefix, 32);
    assert_int_equal(a.route.via, SERVER);

    /* An area is its own: an option may not run on from sname into file. */
    memset(p.bytes + HEAD + BOOTP_SNAME, 0, BOOTP_SNAME_SIZE);
    memcpy(p.bytes + HEAD + BOOTP_SNAME + BOOTP_SNAME_SIZE - 4, BYTES("\x03\x04\x0a\xf0"));
    seal(&p);
    assert_non_null(parse(&p, &a));
}

static const struct bad {
    const char *options;
    size_t len;
    const char *expected;
} bad[] = {
    {BYTES(""), "bad option 53 (message type)"},
    {BYTES(SERVER_ID END), "bad option 53 (message type)"},
    {BYTES("\x35\x02\x02\x02" SERVER_ID END), "bad option 53 (message type)"},
    {BYTES(OFFER OFFER SERVER_ID END), "bad option 53 (message type)"},
    {BYTES("\x35\x01\x01" SERVER_ID END), "neither OFFER, ACK nor NAK"},
    {BYTES("\x35\x01\x03" SERVER_ID END), "neither OFFER, ACK nor NAK"},
    {BYTES(OFFER END), "bad option 54 (server)"},
    {BYTES(OFFER "\x36\x03\x0a\xf0\x00" END), "bad option 54 (server)"},
    {BYTES(OFFER SERVER_ID "\x01\x03\xff\xff\xff" END), "bad option 1 (mask)"},
    {BYTES(OFFER SERVER_ID "\x01\x04\xff\x00\xff\x00" END), "bad option 1 (mask)"},
    {BYTES(OFFER SERVER_ID "\x01\x04\x00\x00\x00\xff" END), "bad option 1 (mask)"},
    {BYTES(OFFER SERVER_ID "\x01\x04\x00\x00\x00\x00" END), "bad option 1 (mask)"},
    {BYTES(OFFER SERVER_ID "\x33\x02\x0e\x10" END), "bad option 51 (lease time)"},
    {BYTES(OFFER SERVER_ID "\x33\x04\0\0\0\0" END), "lease time of 0 seconds"},
    {BYTES(OFFER SERVER_ID "\x03\x00" END), "bad option 3 (router)"},
    {BYTES(OFFER SERVER_ID "\x03\x06\x0a\xf0\x00\x01\x0a\xf0" END), "bad option 3 (router)"},
    {BYTES(OFFER SERVER_ID "\x03\x04\xe0\x00\x00\x01" END), "a router that is no unicast address"},
    {BYTES(OFFER SERVER_ID "\x03\x04\x7f\x00\x00\x01" END), "a router that is no unicast address"},
    {BYTES(OFFER SERVER_ID "\x79\x00" END), "bad option 121 (routes)"},
    {BYTES(OFFER SERVER_ID "\x79\x0a\x21\xa9\xfe\xa9\xfe\x80\x0a\xf0\x00\x01" END),
     "bad option 121 (routes)"},
    {BYTES(OFFER SERVER_ID "\x79\x04\x00\x0a\xf0\x00" END), "bad option 121 (routes)"},
    {BYTES(OFFER SERVER_ID "\x79\x07\x20\x0a\xf0\x00\x01\x0a\xf0" END), "bad option 121 (routes)"},
    {BYTES(OFFER SERVER_ID "\x79\x06\x00\x0a\xf0\x00\x01\x00" END), "bad option 121 (routes)"},
    {BYTES(OFFER SERVER_ID "\x79\x05\x00\xff\xff\xff\xff" END), "a router that is no unicast"},
    {BYTES(OFFER SERVER_ID "\x01"), "an option does not end inside its area"},
    {BYTES(OFFER SERVER_ID "\x01\x04\xff\xff\xff"), "an option does not end inside its area"},
    {BYTES(OFFER SERVER_ID "\x0c\xffname"), "an option does not end inside its area"},
    {BYTES(OFFER SERVER_ID "\x34\x01\x00" END), "an option does not end inside its area"},
    {BYTES(OFFER SERVER_ID "\x34\x01\x04" END), "an option does not end inside its area"},
    {BYTES(OFFER SERVER_ID "\x34\x02\x01\x01" END), "an option does not end inside its area"},
};

static void bad_options_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct packet p = packet_of(bad[i].options, bad[i].len);
        struct dhcp_answer a;
        const char *why = parse(&p, &a);
        if (!why || !strstr(why, bad[i].expected))
            fail_msg("%zu: '%s' instead of '%s'", i, why ? why : "(sound)", bad[i].expected);
    }
}

/* Many pieces of one option add up to more than there is room for. */
static void an_endless_option_is_refused(void **state)
{
    (void)state;
    char options[700] = OFFER SERVER_ID;
    size_t len = sizeof(OFFER SERVER_ID) - 1;
    while (len + 102 < sizeof options) {
        options[len] = 121;
        options[len + 1] = 100;
        len += 102;
    }
    struct packet p = packet_of(options, len);
    struct dhcp_answer a;
    assert_string_equal(parse(&p, &a), "bad option 3 or 121 (routes)");
}

/* Each row changes one byte (or two) of a sound packet; the checksums are right again after it,
 * unless the row is about them. */
static const struct bent {
    size_t at;
    uint8_t high, low; /* two bytes when `two` */
    bool two, unsealed;
    const char *expected;
} bent[] = {
    {0, 0x65, 0, false, false, "not an IPv4 packet"},
    {0, 0x44, 0, false, false, "IPv4 lengths do not fit"},
    {0, 0x4f, 0, false, true, "bad IPv4 checksum"},
    {8, 63, 0, false, true, "bad IPv4 checksum"},
    {9, 6, 0, false, false, "not a whole UDP packet"},
    {6, 0x20, 0, false, false, "not a whole UDP packet"},
    {7, 1, 0, false, false, "not a whole UDP packet"},
    {IP_SIZE, 0, 68, true, false, "not from a DHCP server"},
    {IP_SIZE + 2, 0, 67, true, false, "not from a DHCP server"},
    {HEAD + BOOTP_SNAME, 1, 0, false, true, "bad UDP checksum"},
    {HEAD, 1, 0, false, false, "not an answer for Ethernet"},
    {HEAD + 1, 6, 0, false, false, "not an answer for Ethernet"},
    {HEAD + 2, 16, 0, false, false, "not an answer for Ethernet"},
    {HEAD + BOOTP_XID + 3, 0x79, 0, false, false, "an answer to somebody else"},
    {HEAD + BOOTP_CHADDR + 5, 2, 0, false, false, "an answer to somebody else"},
    {HEAD + BOOTP_MAGIC + 3, 98, 0, false, false, "not a DHCP message"},
    {HEAD + BOOTP_YIADDR, 0, 0, false, false, "an address that is not unicast"},
    {HEAD + BOOTP_YIADDR, 127, 0, false, false, "an address that is not unicast"},
    {HEAD + BOOTP_YIADDR, 224, 0, false, false, "an address that is not unicast"},
    {HEAD + BOOTP_YIADDR, 255, 0, false, false, "an address that is not unicast"},
};

static void bent_packets_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bent); i++) {
        struct packet p = packet_of(BYTES(OFFER SERVER_ID ROUTER END));
        struct dhcp_answer a;
        p.bytes[bent[i].at] = bent[i].high;
        if (bent[i].two)
            p.bytes[bent[i].at + 1] = bent[i].low;
        if (!bent[i].unsealed)
            seal(&p);
        const char *why = parse(&p, &a);
        if (!why || strcmp(why, bent[i].expected) != 0)
            fail_msg("%zu: '%s' instead of '%s'", i, why ? why : "(sound)", bent[i].expected);
    }
}

static void lengths_must_fit(void **state)
{
    (void)state;
    struct packet whole = packet_of(BYTES(OFFER SERVER_ID ROUTER END));
    struct dhcp_answer a;
    for (size_t len = 0; len < whole.len; len++) { /* cut anywhere */
        struct packet p = whole;
        p.len = len;
        assert_non_null(parse(&p, &a));
    }
    struct packet p = whole; /* Ethernet's padding */
    p.len += 18;
    assert_null(parse(&p, &a));

    put16(p.bytes + 2, (unsigned)p.len + 1); /* IPv4 says more than there is */
    seal_ip(&p);
    assert_string_equal(parse(&p, &a), "IPv4 lengths do not fit");
    put16(p.bytes + 2, IP_SIZE + UDP_SIZE - 1);
    seal_ip(&p);
    assert_string_equal(parse(&p, &a), "IPv4 lengths do not fit");

    p = whole;
    put16(p.bytes + IP_SIZE + 4, (unsigned)whole.len - IP_SIZE + 1);
    assert_string_equal(parse(&p, &a), "UDP length does not fit");
    put16(p.bytes + IP_SIZE + 4, UDP_SIZE - 1);
    assert_string_equal(parse(&p, &a), "UDP length does not fit");
    put16(p.bytes + IP_SIZE + 4, UDP_SIZE);
    put16(p.bytes + IP_SIZE + 6, 0);
    assert_string_equal(parse(&p, &a), "not a DHCP message");
}

static void a_missing_udp_checksum_is_no_wrong_one(void **state)
{
    (void)state;
    struct packet p = packet_of(BYTES(OFFER SERVER_ID ROUTER END));
    struct dhcp_answer a;
    put16(p.bytes + IP_SIZE + 6, 0);
    assert_null(parse(&p, &a));
    put16(p.bytes + IP_SIZE + 6, 0x1234);
    assert_string_equal(parse(&p, &a), "bad UDP checksum");
    assert_null(dhcp_parse(p.bytes, p.len, false, &id, &a)); /* not filled in yet */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_answers),
        cmocka_unit_test(a_refusal_needs_no_address),
        cmocka_unit_test(options_may_stand_in_file_and_sname),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(an_endless_option_is_refused),
        cmocka_unit_test(bent_packets_are_refused),
        cmocka_unit_test(lengths_must_fit),
        cmocka_unit_test(a_missing_udp_checksum_is_no_wrong_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
