#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/inspect/report.h"

static void texts_from_images_are_cleaned(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"", ""},
        {"plain text", "plain text"},
        {"Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80",
         "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"a\nb\tc\x7f", "a?b?c?"},
        {"\x1b[31mred", "?[31mred"},
        {"\xc2\x9b"
         "31m",
         "??31m"},                    /* a control character of two bytes */
        {"caf\xe9", "caf?"},          /* not UTF-8 */
        {"\xc3", "?"},                /* cut */
        {"\xc0\xaf", "??"},           /* longer than it has to be */
        {"\xed\xa0\x80", "???"},      /* half of a pair */
        {"\xf4\x90\x80\x80", "????"}, /* behind the last character */
        {"\xe2\x80\xae"
         "txt",
         "???txt"},              /* turns the direction around */
        {"\xe2\x80\xa8", "???"}, /* a line's end */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text AUTO_FREE = report_text(cases[i].from, strlen(cases[i].from));
        assert_string_equal(text, cases[i].to);
    }
    char *nul AUTO_FREE = report_text("a\0b", 3);
    assert_string_equal(nul, "a?b");
}

static void problems_and_remarks_are_kept(void **state)
{
    (void)state;
    struct report report AUTO_REPORT = {.path = NULL};
    report_problem(&report, "mode", "/etc/\x1bx", "has mode %04o", 0644U);
    report_problem(&report, "missing", "", "is missing\n");
    report_remark(&report, "%s", "a \x01 remark");
    assert_int_equal(report.problem_count, 2);
    assert_string_equal(report.problems[0].kind, "mode");
    assert_string_equal(report.problems[0].path, "/etc/?x");
    assert_string_equal(report.problems[0].text, "has mode 0644");
    assert_string_equal(report.problems[1].text, "is missing?");
    assert_int_equal(report.remarks.count, 1);
    assert_string_equal(report.remarks.items[0], "a ? remark");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_from_images_are_cleaned),
        cmocka_unit_test(problems_and_remarks_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
