#include "common/ssh-key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/address.h"
#include "common/buffer.h"
#include "common/ssh-key-fixture.h"

static bool parses(const char *line)
{
    struct ssh_key key;
    return ssh_key_parse(line, strlen(line), &key);
}

static void keys_are_taken_apart(void **state)
{
    (void)state;
    static const char *const good[] = {KEY_ED25519,   KEY_RSA, KEY_ECDSA,
                                       KEY_ECDSA_521, KEY_SK,  KEY_ED25519 " a b \xc3\xa4"};
    struct ssh_key key;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!parses(good[i]))
            fail_msg("not taken: %s", good[i]);
    static const char line[] = KEY_ED25519 " ann@example 2";
    assert_true(ssh_key_parse(line, sizeof line - 1, &key));
    assert_string_equal(key.type, "ssh-ed25519");
    assert_ptr_equal(key.base64, line + 12);
    assert_int_equal(key.base64_len, 68);
    assert_string_equal(key.comment, "ann@example 2");
    assert_int_equal(key.comment_len, 13);
    assert_true(ssh_key_parse(line, strlen(KEY_ED25519), &key));
    assert_int_equal(key.comment_len, 0);
}

static void what_is_no_key_is_not_taken(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "ssh-ed25519",
        "ssh-ed25519 ",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", /* a type and nothing behind it */
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpS5ovm4wDAosKm/6k23wtr6F1Cblrn7YZcXsoO", /* cut */
        KEY_ED25519 "AAAA", /* and more */
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5//////////////////////////////////////////8=",
        "ssh-ed25519  AAAAC3NzaC1lZDI1NTE5AAAAIGpS5ovm4wDAosKm", /* two spaces */
        "ssh-ed25519\tAAAAC3NzaC1lZDI1NTE5AAAAIGpS5ovm4wDAosKm",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIGpS5ovm4wDAosKm",    /* of another type */
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpS5ovm4wDAosK", /* cut off */
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpS=ovm4wDAosKm",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpS5ovm4wDAo===",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpS5ovm4wDAo\"m",
        "ssh-dss AAAAB3NzaC1kc3MAAACBAP",
        "command=\"id\" " KEY_ED25519,
        "no-pty " KEY_ED25519,
        " " KEY_ED25519,
        "ann:" KEY_ED25519,
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    };
    char longest[SSH_KEY_MAX + 2] = KEY_ED25519 " ";
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (parses(bad[i]))
            fail_msg("taken: %s", bad[i]);
    memset(longest + strlen(longest), 'c', SSH_KEY_MAX - strlen(longest));
    assert_true(parses(longest));
    strcat(longest, "c");
    assert_false(parses(longest));
}

static void a_fact_holds_whole_lines(void **state)
{
    (void)state;
    static char text[SSH_KEYS_MAX + 256];
    struct error err = ERROR_INIT;
    assert_true(ssh_keys_valid(""));
    assert_true(ssh_keys_valid(KEY_ED25519 " a\n" KEY_RSA "\n"));
    assert_false(ssh_keys_valid(KEY_ED25519));
    assert_false(ssh_keys_valid("\n"));
    assert_false(ssh_keys_valid(KEY_ED25519 "\n\n"));
    assert_false(ssh_keys_valid(KEY_ED25519 " a\tb\n"));
    assert_false(ssh_keys_valid("# keys\n"));
    struct buffer b = BUFFER_FIXED(text);
    for (unsigned i = 0; i < SSH_KEYS_COUNT_MAX; i++)
        buffer_printf(&b, KEY_ED25519 " %u\n", i);
    assert_true(ssh_keys_valid(text));
    buffer_puts(&b, KEY_ED25519 "\n");
    assert_false(ssh_keys_valid(text));
    buffer_clear(&b);
    for (unsigned i = 0; i < 2; i++)
        buffer_printf(&b, KEY_ED25519 " %08050d\n", 0);
    assert_true(ssh_keys_valid(text));
    buffer_puts(&b, KEY_RSA "\n");
    assert_true(b.len >= SSH_KEYS_MAX);
    assert_false(ssh_keys_valid(text));
    assert_int_equal(value_check(VALUE_SSHKEYS, "ssh-ed25519 AAAA\n", &err), -1);
    assert_string_equal(err.text,
                        "'ssh-ed25519 AAAA?' is not up to 64 public keys, a line each, in "
                        "at most 16383 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_taken_apart),
        cmocka_unit_test(what_is_no_key_is_not_taken),
        cmocka_unit_test(a_fact_holds_whole_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
