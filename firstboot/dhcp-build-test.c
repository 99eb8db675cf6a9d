#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firstboot/dhcp-fixture.h"
#include "firstboot/dhcp-wire.h"

static void the_checksum_is_that_of_rfc_1071(void **state)
{
    (void)state;
    static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(ip_checksum(example, sizeof example), 0x220d);
    assert_int_equal(ip_checksum(example, 7), 0x2304);
}

/* The bytes of RFC 2131 and 2132, counted by hand. */
static void writes_a_discover(void **state)
{
    (void)state;
    static const uint8_t options[] = {53, 1, 1, 55, 4, 1, 121, 3, 51, 255, 0, 0};
    uint8_t out[DHCP_PACKET_SIZE];
    dhcp_build(&id, NULL, out);
    assert_int_equal(out[0], 0x45);
    assert_int_equal(get16(out + 2), sizeof out);
    assert_int_equal(out[9], 17);
    assert_int_equal(get32(out + 12), 0);
    assert_int_equal(get32(out + 16), 0xffffffff);
    assert_int_equal(ip_checksum(out, 20), 0);
    assert_int_equal(get16(out + 20), 68);
    assert_int_equal(get16(out + 22), 67);
    assert_int_equal(get16(out + 24), sizeof out - 20);
    assert_int_equal(udp_checksum(out, out + 20, sizeof out - 20), 0);
    assert_memory_equal(out + 28, "\x01\x01\x06\x00\x12\x34\x56\x78", 8);
    assert_memory_equal(out + 28 + 28, id.mac, 6);
    assert_memory_equal(out + 28 + 236, "\x63\x82\x53\x63", 4);
    assert_memory_equal(out + 28 + 240, options, sizeof options);
}

static void writes_a_request_for_the_offer(void **state)
{
    (void)state;
    static const uint8_t options[] = {53,  1, 3, 50, 4, 10, 240, 0, 20, 54,  4, 10,
                                      240, 0, 1, 55, 4, 1,  121, 3, 51, 255, 0};
    struct dhcp_answer offer = {.type = DHCP_OFFER, .address = ADDRESS, .server = SERVER};
    uint8_t out[DHCP_PACKET_SIZE];
    dhcp_build(&id, &offer, out);
    assert_memory_equal(out + 28 + 240, options, sizeof options);
    assert_int_equal(ip_checksum(out, 20), 0);
    assert_int_equal(udp_checksum(out, out + 20, sizeof out - 20), 0);
}

static void does_not_take_its_own_question_for_an_answer(void **state)
{
    (void)state;
    uint8_t out[DHCP_PACKET_SIZE];
    struct dhcp_answer a;
    dhcp_build(&id, NULL, out);
    assert_non_null(dhcp_parse(out, sizeof out, true, &id, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checksum_is_that_of_rfc_1071),
        cmocka_unit_test(writes_a_discover),
        cmocka_unit_test(writes_a_request_for_the_offer),
        cmocka_unit_test(does_not_take_its_own_question_for_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
