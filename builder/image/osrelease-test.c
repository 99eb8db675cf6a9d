#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/image/osrelease.h"

static void expect(const char *text, const char *key, const char *expected)
{
    char *value AUTO_FREE = os_release_value(text, strlen(text), key);
    if (expected)
        assert_string_equal(value, expected);
    else
        assert_null(value);
}

static void values_are_unquoted(void **state)
{
    (void)state;
    static const char text[] = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
                               "ID=debian\n"
                               "VERSION_ID='12'  \r\n"
                               "ODD=\"a \\\"b\\\" \\$c\"\n"
                               "RAW='a\\b'\n"
                               "CONTROL=\"a\x1b[31m\"\n"
                               "OPEN=\"no end";
    expect(text, "PRETTY_NAME", "Debian GNU/Linux 12 (bookworm)");
    expect(text, "ID", "debian");
    expect(text, "VERSION_ID", "12");
    expect(text, "ODD", "a \"b\" $c");
    expect(text, "RAW", "a\\b");
    expect(text, "CONTROL", "a?[31m");
    expect(text, "OPEN", "no end");
}

static void absent_values_are_null(void **state)
{
    (void)state;
    expect("", "ID", NULL);
    expect("ID", "ID", NULL);
    expect("ID=\n", "ID", NULL);
    expect("ID=\"\"\n", "ID", NULL);
    expect("#ID=debian\n", "ID", NULL);
    expect("VERSION_ID=12\n", "ID", NULL);
    expect("ID_LIKE=debian\n", "ID", NULL);
}

static void last_line_wins(void **state)
{
    (void)state;
    expect("ID=debian\nID=ubuntu\n", "ID", "ubuntu");
    expect("ID=debian\nID=\n", "ID", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_unquoted),
        cmocka_unit_test(absent_values_are_null),
        cmocka_unit_test(last_line_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
