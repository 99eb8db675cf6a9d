#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/yaml/problems.h"

static void check_printed(const struct problems *problems, const char *wanted)
{
    char *got AUTO_FREE = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&got, &len);
    assert_non_null(out);
    problems_print(problems, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(got, wanted);
}

static void sorted_by_place(void **state)
{
    (void)state;
    struct problems problems AUTO_PROBLEMS = {0};
    problems_name(&problems, "a");
    problems_name(&problems, "f");
    problems_add(&problems, 2, 1, "third");
    problems_add(&problems, 1, 9, "first");
    problems_add(&problems, 2, 1, "fourth");
    problems_add(&problems, 1, 10, "second");
    problems_add(&problems, 2, 1, "third");
    problems_add(&problems, 11, 1, "fifth");
    check_printed(&problems, "f:1:9: first\nf:1:10: second\nf:2:1: third\nf:2:1: fourth\n"
                             "f:11:1: fifth\n");
}

static void the_first_fifty_are_kept(void **state)
{
    (void)state;
    struct problems problems AUTO_PROBLEMS = {0};
    struct error err = ERROR_INIT;
    problems_name(&problems, "f");
    for (size_t i = 0; i < 100; i++)
        problems_add(&problems, i * 37 % 100 + 1, 1, "x"); /* every line once */
    assert_int_equal(problems.count, PROBLEMS_MAX);
    assert_int_equal(problems.more, 50);
    for (size_t i = 0; i < PROBLEMS_MAX; i++)
        assert_int_equal(problems.items[i].line, i + 1);
    problems_add(&problems, 50, 1, "y");
    assert_int_equal(problems.more, 51);
    assert_string_equal(problems.items[49].text, "x");
    problems_add(&problems, 49, 1, "y");
    assert_int_equal(problems.more, 52);
    assert_string_equal(problems.items[49].text, "y");
    assert_int_equal(problems_settle(&problems, 0, &err), -1);
    assert_string_equal(err.text, "f: 102 problems");
}

static void what_reading_came_to(void **state)
{
    (void)state;
    struct problems problems AUTO_PROBLEMS = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(problems_settle(&problems, 0, &err), 0);
    assert_string_equal(err.text, "");
    error_set(&err, "another cause");
    assert_int_equal(problems_settle(&problems, -1, &err), -1);
    assert_string_equal(err.text, "another cause");
    check_printed(&problems, "");
    problems_name(&problems, "f");
    problems_add(&problems, 1, 1, "x");
    assert_int_equal(problems_settle(&problems, -1, &err), -1);
    assert_string_equal(err.text, "f: 1 problem");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_by_place),
        cmocka_unit_test(the_first_fifty_are_kept),
        cmocka_unit_test(what_reading_came_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
