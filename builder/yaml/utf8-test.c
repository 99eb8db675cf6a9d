#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/yaml/utf8.h"

static void characters_are_read(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        uint32_t character;
    } rows[] = {
        {"ax", 1, 'a'},
        {"\x7f", 1, 0x7f},
        {"\xc2\x80x", 2, 0x80},
        {"\xdf\xbf", 2, 0x7ff},
        {"\xe0\xa0\x80", 3, 0x800},
        {"\xed\x9f\xbf", 3, 0xd7ff},
        {"\xee\x80\x80", 3, 0xe000},
        {"\xef\xbf\xbf", 3, 0xffff},
        {"\xf0\x90\x80\x80", 4, 0x10000},
        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t character = 0;
        assert_int_equal(utf8_next(rows[i].text, strlen(rows[i].text), &character), rows[i].n);
        assert_int_equal(character, rows[i].character);
    }
    uint32_t nul = 1;
    assert_int_equal(utf8_next("", 1, &nul), 1);
    assert_int_equal(nul, 0);
}

static void what_is_no_character(void **state)
{
    static const char *const rows[] = {
        "\x80",             /* begins in the middle */
        "\xbf",             /* the same */
        "\xc3",             /* cut */
        "\xe2\x82",         /* cut */
        "\xf0\x9f\x98",     /* cut */
        "\xc3x",            /* not continued */
        "\xe2\x82\xc3",     /* not continued */
        "\xc0\x80",         /* overlong */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* a surrogate */
        "\xed\xbf\xbf",     /* a surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xf8\x88\x80\x80", /* a sequence of five */
        "\xff",
    };
    (void)state;
    uint32_t character = 7;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(utf8_next(rows[i], strlen(rows[i]), &character), 0);
    assert_int_equal(utf8_next("a", 0, &character), 0);
    assert_int_equal(character, 7);
}

static void texts_become_printable(void **state)
{
    static const struct {
        const char *text, *printable;
    } rows[] = {
        {"", ""},
        {"ä€😀 ~", "ä€😀 ~"},
        {"a\nb\x1b[1m\x7f", "a?b?[1m?"},
        {"a\xc2\x9b"
         "1m",
         "a?1m"}, /* CSI in one character */
        {"a\xe2\x80\xae"
         "b",
         "a?b"}, /* right to left */
        {"a\xe2\x81\xa6"
         "b",
         "a?b"}, /* isolate */
        {"a\xe2\x80\xa8"
         "b",
         "a?b"}, /* line separator */
        {"ab\xc3", "ab?"},
        {"\xff\xfe", "??"},
        {"\xe2\x82x", "??x"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[32];
        memcpy(text, rows[i].text, strlen(rows[i].text) + 1);
        utf8_printable(text);
        assert_string_equal(text, rows[i].printable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_read),
        cmocka_unit_test(what_is_no_character),
        cmocka_unit_test(texts_become_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
