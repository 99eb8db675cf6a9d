#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "builder/duration.h"

static void good_ones(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    unsigned hours = 0;
    assert_int_equal(duration_hours("8760h", 1, 9000, &hours, &err), 0);
    assert_int_equal(hours, 8760);
    assert_int_equal(duration_hours("30d", 0, 720, &hours, &err), 0);
    assert_int_equal(hours, 720);
    assert_int_equal(duration_hours("0h", 0, 1, &hours, &err), 0);
    assert_int_equal(hours, 0);
}

static void bad_ones(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",    "h",  "1",    "1m",  "-1h",       "1.5h",  "1 h", "1hh", "h1",         "0x1h",
        "+1h", "0h", "721h", "31d", "99999999h", "10d1h", " 1h", "1H",  "9999999999d"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct error err = ERROR_INIT;
        unsigned hours = 7;
        assert_int_equal(duration_hours(texts[i], 1, 720, &hours, &err), -1);
        assert_int_equal(hours, 7);
        assert_true(*err.text != '\0');
    }
}

static void seconds_and_minutes(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "60",  "s",   "4s",  "601s", "11m", "1h",
                                      "1.5m", "-5s", "5 s", "1m1", "5s5s", "0m",  "9999999999s"};
    struct error err = ERROR_INIT;
    unsigned seconds = 0;
    assert_int_equal(duration_seconds("5s", 5, 600, &seconds, &err), 0);
    assert_int_equal(seconds, 5);
    assert_int_equal(duration_seconds("10m", 5, 600, &seconds, &err), 0);
    assert_int_equal(seconds, 600);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(duration_seconds(bad[i], 5, 600, &seconds, &err), -1);
    assert_int_equal(seconds, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(seconds_and_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
