#include "firstboot/ssh-keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/ssh-key-fixture.h"

static struct ssh_keys keys;

static void take(const char *text)
{
    ssh_keys_take(&keys, text, strlen(text));
}

static int setup(void **state)
{
    (void)state;
    ssh_keys_init(&keys, "ops");
    return 0;
}

static void check_remark(const char *expected)
{
    char text[256] = "";
    struct buffer b = BUFFER_FIXED(text);
    assert_int_equal(ssh_keys_remark(&keys, &b), *expected != '\0');
    assert_string_equal(text, expected);
}

static void the_users_keys_are_taken(void **state)
{
    (void)state;
    take("ops:" KEY_ED25519 " ann@example\n" KEY_RSA " no: prefix\r\n  ops: " KEY_ECDSA "\t\n"
         "bob:" KEY_ECDSA_521 "\nopsy:" KEY_ECDSA_521 "\nop:" KEY_ECDSA_521 "\n"
         "OPS:" KEY_ECDSA_521 "\n\n  \n# " KEY_ECDSA_521);
    assert_string_equal(keys.text,
                        KEY_ED25519 " ann@example\n" KEY_RSA " no: prefix\n" KEY_ECDSA "\n");
    assert_int_equal(keys.count, 3);
    assert_true(ssh_keys_valid(keys.text));
    check_remark("");
}

static void values_are_joined_without_doubles(void **state)
{
    (void)state;
    take(KEY_ED25519 " of the instance");
    take("ops:" KEY_ED25519 " of the project\nops:" KEY_RSA);
    assert_string_equal(keys.text, KEY_ED25519 " of the instance\n" KEY_RSA "\n");
    check_remark("");
}

static void what_is_no_key_is_counted(void **state)
{
    (void)state;
    take("\nops:ssh-ed25519 AAAA\ncommand=\"id\" " KEY_RSA "\nops:no-pty " KEY_RSA "\n"
         ":" KEY_RSA "\nrubbish\nops:\nbob:rubbish\nssh-rsa\n" KEY_ED25519);
    take("more rubbish");
    assert_string_equal(keys.text, KEY_ED25519 "\n");
    check_remark("8 lines that are no keys, the first is line 2");
}

static void comments_are_for_terminals(void **state)
{
    (void)state;
    take(KEY_ED25519 " \x1b[2J\n" KEY_RSA " \xc3\xa4\n" KEY_ECDSA " \"$(id)\" 'x' @NAME@ \\\n");
    assert_string_equal(keys.text,
                        KEY_ED25519 "\n" KEY_RSA "\n" KEY_ECDSA " \"$(id)\" 'x' @NAME@ \\\n");
    ssh_keys_init(&keys, "ops");
    ssh_keys_take(&keys, KEY_ED25519 " a\0b", sizeof KEY_ED25519 + 3);
    assert_string_equal(keys.text, KEY_ED25519 "\n");
    ssh_keys_take(&keys, "a\0b", 3);
    assert_int_equal(keys.bad, 1);
}

/* Nobody would take them away when their time has come. */
static void keys_that_expire_stay_out(void **state)
{
    (void)state;
    take("ops:" KEY_ECDSA " google-ssh {\"userName\":\"ops@example.com\",\"expireOn\":"
         "\"2021-06-14T16:59:03+0000\"}\n"
         "ops:" KEY_RSA " google-ssh {\"userName\": \"ops\"}\nops:" KEY_ED25519 " not google-ssh");
    assert_string_equal(keys.text, KEY_ED25519 " not google-ssh\n");
    check_remark("2 keys that expire");
}

/* The i-th of many keys. */
static const char *numbered(unsigned i, const char *comment)
{
    static char line[SSH_KEY_MAX];
    snprintf(
        line, sizeof line,
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpS5ovm4wDAosKm/6k23wtr6F1Cblrn7YZcXsoO%04u%s%s\n", i,
        *comment ? " " : "", comment);
    return line;
}

static void there_are_at_most_so_many(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SSH_KEYS_COUNT_MAX + 2; i++)
        take(numbered(i, ""));
    assert_int_equal(keys.count, SSH_KEYS_COUNT_MAX);
    assert_true(ssh_keys_valid(keys.text));
    assert_false(ssh_keys_add(&keys, KEY_RSA, strlen(KEY_RSA)));
    check_remark("2 keys more than the 64, or the 16383 bytes, allowed");
}

static void they_have_at_most_so_many_bytes(void **state)
{
    (void)state;
    static char comment[3990];
    memset(comment, 'c', sizeof comment - 1);
    for (unsigned i = 0; i < 5; i++)
        take(numbered(i, comment));
    take("rubbish\n" KEY_RSA " google-ssh\n" KEY_ED25519); /* a small one has room */
    assert_int_equal(keys.count, 5);
    assert_non_null(strstr(keys.text, "c\n" KEY_ED25519 "\n"));
    assert_true(ssh_keys_valid(keys.text));
    check_remark("1 lines that are no keys, the first is line 1; 1 keys that expire; 1 keys more "
                 "than the 64, or the 16383 bytes, allowed");
}

static void a_file_has_only_keys(void **state)
{
    (void)state;
    assert_true(ssh_keys_add(&keys, KEY_RSA " a b", strlen(KEY_RSA " a b")));
    assert_false(ssh_keys_add(&keys, "ops:" KEY_ECDSA, strlen("ops:" KEY_ECDSA)));
    assert_false(ssh_keys_add(&keys, KEY_ECDSA " \t", strlen(KEY_ECDSA " \t")));
    assert_string_equal(keys.text, KEY_RSA " a b\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_users_keys_are_taken, setup),
        cmocka_unit_test_setup(values_are_joined_without_doubles, setup),
        cmocka_unit_test_setup(what_is_no_key_is_counted, setup),
        cmocka_unit_test_setup(comments_are_for_terminals, setup),
        cmocka_unit_test_setup(keys_that_expire_stay_out, setup),
        cmocka_unit_test_setup(there_are_at_most_so_many, setup),
        cmocka_unit_test_setup(they_have_at_most_so_many_bytes, setup),
        cmocka_unit_test_setup(a_file_has_only_keys, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
