#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/template.h"
#include "firstboot/words.h"

/* `head`, then n bytes `x`, then `tail`. */
static const char *long_word(const char *head, size_t n, const char *tail)
{
    static char word[1024];
    size_t used = strlen(head);
    assert_true(used + n + strlen(tail) < sizeof word);
    memcpy(word, head, used);
    memset(word + used, 'x', n);
    memcpy(word + used + n, tail, strlen(tail) + 1);
    return word;
}

static void paths(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool absolute, right;
    } cases[] = {
        {"/etc/hosts", true, true},   {"/x", true, true},         {"/.x/..y/...", true, true},
        {"/etc/hosts", false, false}, {"etc/hosts", true, false}, {"etc/hosts", false, true},
        {"x", false, true},           {"", false, false},         {"", true, false},
        {"/", true, false},           {"/etc/", true, false},     {"/etc//hosts", true, false},
        {"//etc", true, false},       {"/etc/.", true, false},    {"/./etc", true, false},
        {"/etc/..", true, false},     {"/../etc", true, false},   {"..", false, false},
        {".", false, false},          {"x/", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (word_is_path(cases[i].path, cases[i].absolute) != cases[i].right)
            fail_msg("'%s', absolute %d", cases[i].path, cases[i].absolute);
}

static void the_last_component_leaves_room_for_a_temporary_name(void **state)
{
    (void)state;
    assert_true(word_is_path(long_word("/", WORD_BASE_MAX, ""), true));
    assert_false(word_is_path(long_word("/", WORD_BASE_MAX + 1, ""), true));
    assert_true(word_is_path(long_word("/", 255, "/y"), true));
    assert_false(word_is_path(long_word("/", 256, "/y"), true));
}

static void units(void **state)
{
    (void)state;
    static const char *const right[] = {"kubelet.service", "a@b.service", "a\\x2d:b_c-1.mount",
                                        "multi-user.target"};
    static const char *const wrong[] = {"",          "kubelet",    "kubelet.", ".service",
                                        "a/b.mount", "a b.socket", "a*.mount", "../x.service"};
    for (size_t i = 0; i < ARRAY_LEN(right); i++)
        if (!word_is_unit(right[i]))
            fail_msg("'%s' is refused", right[i]);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (word_is_unit(wrong[i]))
            fail_msg("'%s' is taken", wrong[i]);
    assert_true(word_is_unit(long_word("", WORD_BASE_MAX - 6, ".mount")));
    assert_false(word_is_unit(long_word("", WORD_BASE_MAX - 5, ".mount")));
}

static void facts(void **state)
{
    (void)state;
    char word[FACT_NAME_MAX + 1];
    assert_true(word_is_fact("NODE_NAME"));
    assert_true(word_is_fact("A"));
    assert_true(word_is_fact("A0_"));
    assert_false(word_is_fact(""));
    assert_false(word_is_fact("0A"));
    assert_false(word_is_fact("_A"));
    assert_false(word_is_fact("Node"));
    assert_false(word_is_fact("A-B"));
    memset(word, 'A', sizeof word);
    word[FACT_NAME_MAX] = '\0';
    assert_false(word_is_fact(word));
    word[FACT_NAME_MAX - 1] = '\0';
    assert_true(word_is_fact(word));
}

static void users(void **state)
{
    (void)state;
    static const char *const right[] = {"a",        "_",   "debian",
                                        "ec2-user", "a_9", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const wrong[] = {
        "",    "ALL", "9a",  "-a",       "a b",
        "a:b", "a/b", "a\n", "\xc3\xa4", "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < ARRAY_LEN(right); i++)
        if (!word_is_user(right[i]))
            fail_msg("'%s' is not taken", right[i]);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (word_is_user(wrong[i]))
            fail_msg("'%s' is taken", wrong[i]);
}

static void modes(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "644", "00644", "0648", "-644", " 644", "0x1f", "064a"};
    mode_t mode = 1;
    assert_true(word_to_mode("0644", &mode));
    assert_int_equal(mode, 0644);
    assert_true(word_to_mode("7777", &mode));
    assert_int_equal(mode, 07777);
    assert_true(word_to_mode("0000", &mode));
    assert_int_equal(mode, 0);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (word_to_mode(wrong[i], &mode))
            fail_msg("'%s' is taken", wrong[i]);
}

static void numbers(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "00", "01", "-1", "+1", " 1", "1 ", "0x1", "1e1", "/"};
    uint32_t n = 7;
    assert_true(word_to_number("0", 0, &n));
    assert_int_equal(n, 0);
    assert_true(word_to_number("600", 600, &n));
    assert_int_equal(n, 600);
    assert_false(word_to_number("601", 600, &n));
    assert_true(word_to_number("4294967295", UINT32_MAX, &n));
    assert_int_equal(n, UINT32_MAX);
    assert_false(word_to_number("4294967296", UINT32_MAX, &n));
    assert_false(word_to_number("18446744073709551617", UINT32_MAX, &n)); /* 1, were it to wrap */
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (word_to_number(wrong[i], 600, &n))
            fail_msg("'%s' is taken", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(the_last_component_leaves_room_for_a_temporary_name),
        cmocka_unit_test(units),
        cmocka_unit_test(facts),
        cmocka_unit_test(users),
        cmocka_unit_test(modes),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
