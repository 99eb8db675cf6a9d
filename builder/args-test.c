#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/command.h"

static const struct command BUILD = {
    .name = "build",
    .operands = "[NODE]...",
    .summary = "make images",
    .details = "",
    .options = {{"out", "DIR", "where to"}, {"format", "NAME", "which"}, {"quiet", NULL, "mute"}},
    .operands_max = 3,
};

enum { ARGV_MAX = 160 };

/* Parses the words, NULL at the end, as those after `nodebake build`. */
static int parse(const char *const *words, struct args *out, struct error *err)
{
    static char name[] = "build";
    static char *argv[ARGV_MAX];
    int argc = 0;
    argv[argc++] = name;
    for (; *words; words++) {
        assert_true(argc < ARGV_MAX - 1);
        argv[argc++] = (char *)(uintptr_t)*words;
    }
    argv[argc] = NULL;
    *out = (struct args){0};
    return args_parse(&BUILD, argc, argv, out, err);
}

#define PARSE(out, ...)                                                                            \
    do {                                                                                           \
        struct error parse_error = ERROR_INIT;                                                     \
        if (parse((const char *const[]){__VA_ARGS__, NULL}, (out), &parse_error) < 0)              \
            fail_msg("%s", parse_error.text);                                                      \
        assert_string_equal(parse_error.text, "");                                                 \
    } while (0)

#define REFUSE(expected, ...)                                                                      \
    do {                                                                                           \
        struct error parse_error = ERROR_INIT;                                                     \
        struct args refused;                                                                       \
        assert_int_equal(parse((const char *const[]){__VA_ARGS__, NULL}, &refused, &parse_error),  \
                         -1);                                                                      \
        assert_string_equal(parse_error.text, (expected));                                         \
    } while (0)

static void nothing_is_a_command_line(void **state)
{
    (void)state;
    struct args args;
    struct error err = ERROR_INIT;
    assert_int_equal(parse((const char *const[]){NULL}, &args, &err), 0);
    assert_int_equal(args.operand_count, 0);
    assert_int_equal(args.value_count, 0);
    assert_null(args_value(&args, "out"));
    assert_null(args_nth(&args, "out", 0));
    assert_false(args_flag(&args, "quiet"));
}

static void values_stand_behind_a_sign_or_in_the_next_word(void **state)
{
    (void)state;
    struct args args;
    PARSE(&args, "--out=a", "--format", "raw", "--quiet");
    assert_string_equal(args_value(&args, "out"), "a");
    assert_string_equal(args_value(&args, "format"), "raw");
    assert_true(args_flag(&args, "quiet"));
    assert_int_equal(args.operand_count, 0);
    PARSE(&args, "--out=a=b=", "--format=--quiet");
    assert_string_equal(args_value(&args, "out"), "a=b=");
    assert_string_equal(args_value(&args, "format"), "--quiet");
    assert_false(args_flag(&args, "quiet"));
    PARSE(&args, "--out", "--", "worker"); /* a value, not the end of the options */
    assert_string_equal(args_value(&args, "out"), "--");
    assert_int_equal(args.operand_count, 1);
}

static void repeated_options_are_all_kept(void **state)
{
    (void)state;
    struct args args;
    PARSE(&args, "--format=raw", "--out=a", "--format", "gce", "--out=b");
    assert_string_equal(args_nth(&args, "format", 0), "raw");
    assert_string_equal(args_nth(&args, "format", 1), "gce");
    assert_null(args_nth(&args, "format", 2));
    assert_string_equal(args_nth(&args, "out", 1), "b");
    assert_string_equal(args_value(&args, "out"), "b");
}

static void operands_stand_anywhere(void **state)
{
    (void)state;
    struct args args;
    PARSE(&args, "a", "--out", "x", "--quiet", "b", "--format=raw", "-");
    assert_int_equal(args.operand_count, 3);
    assert_string_equal(args.operands[0], "a");
    assert_string_equal(args.operands[1], "b");
    assert_string_equal(args.operands[2], "-");
    assert_string_equal(args_value(&args, "out"), "x");
    assert_string_equal(args_value(&args, "format"), "raw");
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct args args;
    PARSE(&args, "--quiet", "--", "--out=a", "-x", "--");
    assert_true(args_flag(&args, "quiet"));
    assert_null(args_value(&args, "out"));
    assert_int_equal(args.operand_count, 3);
    assert_string_equal(args.operands[0], "--out=a");
    assert_string_equal(args.operands[1], "-x");
    assert_string_equal(args.operands[2], "--");
}

static void unknown_options_are_refused(void **state)
{
    (void)state;
    REFUSE("unknown option --outer; `nodebake build --help` lists them", "--outer=a");
    REFUSE("unknown option --ou; `nodebake build --help` lists them", "--ou", "a");
    REFUSE("unknown option --; `nodebake build --help` lists them", "--=a");
    REFUSE("unknown option -o; `nodebake build --help` lists them", "worker", "-o");
    REFUSE("unknown option --OUT; `nodebake build --help` lists them", "--OUT=a");
}

static void values_are_given_where_they_belong(void **state)
{
    (void)state;
    REFUSE("--quiet takes no value", "--quiet=yes");
    REFUSE("--quiet takes no value", "--quiet=");
    REFUSE("--out needs a value: DIR", "--out");
    REFUSE("--out needs a value: DIR", "--out=");
    REFUSE("--format needs a value: NAME", "--format", "");
}

static void too_many_are_refused(void **state)
{
    (void)state;
    struct args args;
    struct error err = ERROR_INIT;
    const char *words[COMMAND_VALUES_MAX + 2] = {NULL};
    for (size_t i = 0; i < COMMAND_VALUES_MAX; i++)
        words[i] = "--quiet";
    assert_int_equal(parse(words, &args, &err), 0);
    assert_int_equal(args.value_count, COMMAND_VALUES_MAX);
    words[COMMAND_VALUES_MAX] = "--out=a";
    assert_int_equal(parse(words, &args, &err), -1);
    assert_string_equal(err.text, "more than 64 options");
    PARSE(&args, "a", "b", "c");
    REFUSE("'d' is one argument too many", "a", "b", "c", "d", "e");
    REFUSE("'-x' is one argument too many", "a", "b", "c", "--", "-x");
}

static void too_few_are_refused(void **state)
{
    (void)state;
    struct args args = {0};
    struct error err = ERROR_INIT;
    struct command inspect = BUILD;
    char name[] = "inspect", image[] = "a.raw";
    char *argv[] = {name, image, NULL};
    inspect.operands = "IMAGE";
    inspect.operands_min = 1;
    assert_int_equal(args_parse(&inspect, 2, argv, &args, &err), 0);
    args = (struct args){0};
    assert_int_equal(args_parse(&inspect, 1, argv, &args, &err), -1);
    assert_string_equal(err.text, "an argument is missing: IMAGE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_a_command_line),
        cmocka_unit_test(values_stand_behind_a_sign_or_in_the_next_word),
        cmocka_unit_test(repeated_options_are_all_kept),
        cmocka_unit_test(operands_stand_anywhere),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(unknown_options_are_refused),
        cmocka_unit_test(values_are_given_where_they_belong),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(too_few_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
