#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base64.h"

static void texts_are_read(void **state)
{
    static const struct {
        const char *text, *bytes;
    } good[] = {{"AA==", "\0"},         {"Zg==", "f"},
                {"Zm8=", "fo"},         {"Zm9v", "foo"},
                {"Zm9vYg==", "foob"},   {"Zm9vYmFy", "foobar"},
                {"/+8A", "\xff\xef\0"}, {"AZaz09+/", "\1\226\263\323\337\277"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        size_t size = 0, wanted = strlen(good[i].text) / 4 * 3;
        for (const char *p = good[i].text; *p; p++)
            wanted -= *p == '=';
        assert_true(base64_size(good[i].text, strlen(good[i].text), &size));
        assert_int_equal(size, wanted);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(base64_byte(good[i].text, k), (unsigned char)good[i].bytes[k]);
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const bad[] = {
        "",     "A",    "AA",     "AAA",      "====",   "A===",
        "AA=A", "AA=",  "=AAA",   "AAAA====", "AA -",   "AA_-",
        "AAA ", " AAA", "AAAA\n", "AA==AAAA", "AA\r\n", "\xc3\xa4\xc3\xa4"};
    size_t size = 0;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (base64_size(bad[i], strlen(bad[i]), &size))
            fail_msg("'%s' is taken", bad[i]);
    assert_false(base64_size("AA\0A", 4, &size));
    assert_true(base64_size("AAAAA", 4, &size)); /* its end is where it is said to be */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read),
        cmocka_unit_test(other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
