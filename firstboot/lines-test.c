#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firstboot/lines.h"

static struct error err;

/* In memory without a byte to spare, so that a sanitizer sees a read behind its end. */
static char *copy_of(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

static void lines_come_in_order_with_their_numbers(void **state)
{
    (void)state;
    static const char text[] = "first\n\n  a ~ line\n";
    char *copy = copy_of(text, sizeof text - 1), *line = NULL;
    struct lines l = lines_of(copy, sizeof text - 1);
    assert_int_equal(lines_next(&l, &line, &err), 1);
    assert_string_equal(line, "first");
    assert_int_equal(l.number, 1);
    assert_int_equal(lines_next(&l, &line, &err), 1);
    assert_string_equal(line, "");
    assert_int_equal(lines_next(&l, &line, &err), 1);
    assert_string_equal(line, "  a ~ line");
    assert_int_equal(l.number, 3);
    assert_int_equal(lines_next(&l, &line, &err), 0);
    assert_int_equal(lines_next(&l, &line, &err), 0); /* the end stays the end */
    free(copy);
}

static void nothing_has_no_lines(void **state)
{
    (void)state;
    char *copy = copy_of("", 0), *line;
    struct lines l = lines_of(copy, 0);
    assert_int_equal(lines_next(&l, &line, &err), 0);
    free(copy);
}

static void malformed_lines_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        const char *expected;
    } bad[] = {
        {"x", 1, "no newline at its end; the file is cut off"},
        {"a\tb\n", 4, "byte 0x09; only printable ASCII is allowed"},
        {"a\r\n", 3, "byte 0x0d; only printable ASCII is allowed"},
        {"a\0b\n", 4, "byte 0x00; only printable ASCII is allowed"},
        {"\x7f\n", 2, "byte 0x7f; only printable ASCII is allowed"},
        {"\xc3\xa9\n", 3, "byte 0xc3; only printable ASCII is allowed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *copy = copy_of(bad[i].text, bad[i].len), *line;
        struct lines l = lines_of(copy, bad[i].len);
        assert_int_equal(lines_next(&l, &line, &err), -1);
        assert_string_equal(err.text, bad[i].expected);
        free(copy);
    }
}

static void a_fault_is_found_on_its_line(void **state)
{
    (void)state;
    char text[] = "good\nbad\x1b\n", *line;
    struct lines l = lines_of(text, sizeof text - 1);
    assert_int_equal(lines_next(&l, &line, &err), 1);
    assert_int_equal(lines_next(&l, &line, &err), -1);
    assert_int_equal(l.number, 2);
}

static void lines_are_bounded(void **state)
{
    (void)state;
    static char text[LINE_MAX_BYTES + 2];
    char *line;
    memset(text, 'x', sizeof text);
    text[LINE_MAX_BYTES] = '\n';
    struct lines l = lines_of(text, LINE_MAX_BYTES + 1);
    assert_int_equal(lines_next(&l, &line, &err), 1);
    assert_int_equal(strlen(line), LINE_MAX_BYTES);

    text[LINE_MAX_BYTES] = 'x';
    text[LINE_MAX_BYTES + 1] = '\n';
    l = lines_of(text, sizeof text);
    assert_int_equal(lines_next(&l, &line, &err), -1);
    assert_string_equal(err.text, "longer than the 1000 bytes allowed");
}

static void empty_lines_and_comments_are_skipped(void **state)
{
    (void)state;
    assert_true(line_skipped(""));
    assert_true(line_skipped("# why"));
    assert_false(line_skipped(" # not at its beginning"));
    assert_false(line_skipped("word"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_in_order_with_their_numbers),
        cmocka_unit_test(nothing_has_no_lines),
        cmocka_unit_test(malformed_lines_are_refused),
        cmocka_unit_test(a_fault_is_found_on_its_line),
        cmocka_unit_test(lines_are_bounded),
        cmocka_unit_test(empty_lines_and_comments_are_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
