#include "builder/package/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char PASSWD[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
                             "odd:x:1a:0\n"
                             "huge:x:99999999999:0\n"
                             "bare:x\n"
                             "empty:x::0\n"
                             "www:x:1000:1000::/:/bin/sh";

static uint32_t number(const char *name)
{
    return owner_number((struct dpkg_text){PASSWD, sizeof PASSWD - 1}, name, 7);
}

static void names_have_the_systems_numbers(void **state)
{
    (void)state;
    assert_int_equal(number("root"), 0);
    assert_int_equal(number("www-data"), 33);
    assert_int_equal(number("www"), 1000);
}

static void others_keep_theirs(void **state)
{
    (void)state;
    static const char *const names[] = {"nobody", "ww", "x", "odd", "huge", "bare", "empty", ""};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(number(names[i]), 7);
    assert_int_equal(number(NULL), 7);
    assert_int_equal(owner_number((struct dpkg_text){"", 0}, "root", 7), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_the_systems_numbers),
        cmocka_unit_test(others_keep_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
