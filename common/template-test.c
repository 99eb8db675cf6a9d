#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/template.h"

static enum template_answer lookup(void *ctx, const char *name, const char **value)
{
    (void)ctx;
    if (strcmp(name, "A") == 0)
        *value = "alpha";
    else if (strcmp(name, "AT") == 0)
        *value = "x@y";
    else if (strcmp(name, "EMPTY") == 0)
        *value = "";
    else
        return strcmp(name, "LATER") == 0 ? TEMPLATE_LATER : TEMPLATE_UNKNOWN;
    return TEMPLATE_VALUE;
}

static void check(const char *text, const char *expected, unsigned expected_later)
{
    char memory[256];
    struct buffer out = BUFFER_FIXED(memory);
    struct error err = ERROR_INIT;
    unsigned later = 99;
    if (template_render(&out, text, strlen(text), lookup, NULL, &later, &err) < 0)
        fail_msg("'%s': %s", text, err.text);
    assert_string_equal(memory, expected);
    assert_int_equal(later, expected_later);
    assert_int_equal(err.text[0], 0);
}

static void names_are_replaced(void **state)
{
    (void)state;
    check("", "", 0);
    check("plain\n", "plain\n", 0);
    check("@A@", "alpha", 0);
    check("<@A@@A@>", "<alphaalpha>", 0);
    check("[@EMPTY@]", "[]", 0);
    check("@AT@", "x@y", 0);
}

static void at_signs_stay_literal(void **state)
{
    (void)state;
    check("a@b", "a@b", 0);
    check("@@", "@", 0);
    check("@@A@@", "@A@", 0);
    check("@", "@", 0);
    check("user@host @1A@ @a@ @A", "user@host @1A@ @a@ @A", 0);
    check("getty@tty1.service", "getty@tty1.service", 0);
}

static void later_names_make_a_template_again(void **state)
{
    (void)state;
    check("@LATER@ @A@", "@LATER@ alpha", 1);
    check("@LATER@ @LATER@", "@LATER@ @LATER@", 2);
    /* Literal @ and those of values must survive the second rendering. */
    check("@LATER@ a@b @@ @AT@", "@LATER@ a@@b @@ x@@y", 1);
}

static void second_rendering_gives_the_literals(void **state)
{
    (void)state;
    check("@A@ a@@b @@ x@@y", "alpha a@b @ x@y", 0);
}

static void unknown_names_fail_with_their_line(void **state)
{
    (void)state;
    static const char text[] = "one\ntwo @A@\nthree @NOBODY@\n";
    char memory[256];
    struct buffer out = BUFFER_FIXED(memory);
    struct error err = ERROR_INIT;
    assert_int_equal(template_render(&out, text, sizeof text - 1, lookup, NULL, NULL, &err), -1);
    assert_string_equal(err.text, "line 3: nothing supplies @NOBODY@");
    assert_int_equal(out.len, 0);
}

static void too_small_a_buffer_is_an_error(void **state)
{
    (void)state;
    char memory[6];
    struct buffer out = BUFFER_FIXED(memory);
    struct error err = ERROR_INIT;
    assert_int_equal(template_render(&out, "@A@", 3, lookup, NULL, NULL, &err), 0);
    buffer_clear(&out);
    assert_int_equal(template_render(&out, "@A@!", 4, lookup, NULL, NULL, &err), -1);
    assert_non_null(strstr(err.text, "does not fit in 6 bytes"));
}

static void names_have_a_longest_length(void **state)
{
    (void)state;
    char text[80];
    memset(text, 'A', sizeof text);
    text[0] = text[sizeof text - 2] = '@';
    text[sizeof text - 1] = '\0';
    check(text, text, 0); /* longer than any fact: literal */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_replaced),
        cmocka_unit_test(at_signs_stay_literal),
        cmocka_unit_test(later_names_make_a_template_again),
        cmocka_unit_test(second_rendering_gives_the_literals),
        cmocka_unit_test(unknown_names_fail_with_their_line),
        cmocka_unit_test(too_small_a_buffer_is_an_error),
        cmocka_unit_test(names_have_a_longest_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
