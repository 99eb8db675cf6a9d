#include "builder/lab/ntp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* 2026-11-23 00:00:00.5 UTC, in seconds since 1900 4004380800. */
static const struct timespec now = {.tv_sec = 1795392000, .tv_nsec = 500000000};

static void a_client_is_answered(void **state)
{
    (void)state;
    uint8_t packet[NTP_SIZE] = {0x23, 0, 6}, answer[NTP_SIZE];
    for (uint8_t i = 0; i < 8; i++)
        packet[40 + i] = (uint8_t)(0xA0 + i);
    assert_int_equal(ntp_answer(packet, sizeof packet, &now, answer), 0);
    assert_int_equal(answer[0], 0x24); /* version 4, server, no leap second */
    assert_int_equal(answer[1], 2);
    assert_int_equal(answer[2], 6);
    assert_memory_equal(answer + 24, packet + 40, 8);
    static const uint8_t time[8] = {0xEE, 0xAE, 0x00, 0x80, 0x80};
    assert_memory_equal(answer + 16, time, 8);
    assert_memory_equal(answer + 32, time, 8);
    assert_memory_equal(answer + 40, time, 8);
}

static void the_version_is_the_clients(void **state)
{
    (void)state;
    uint8_t packet[NTP_SIZE] = {0x1B}, answer[NTP_SIZE];
    assert_int_equal(ntp_answer(packet, sizeof packet, &now, answer), 0);
    assert_int_equal(answer[0], 0x1C);
}

static void others_are_not_answered(void **state)
{
    (void)state;
    static const uint8_t others[] = {0x24, 0x21, 0x26, 0x03, 0x2B, 0x3B, 0};
    uint8_t packet[NTP_SIZE] = {0x23}, answer[NTP_SIZE];
    assert_int_equal(ntp_answer(packet, NTP_SIZE - 1, &now, answer), -1);
    assert_int_equal(ntp_answer(packet, 0, &now, answer), -1);
    for (size_t i = 0; i < sizeof others; i++) {
        packet[0] = others[i];
        assert_int_equal(ntp_answer(packet, sizeof packet, &now, answer), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_answered),
        cmocka_unit_test(the_version_is_the_clients),
        cmocka_unit_test(others_are_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
