#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/pki/encryption.h"

#define KEY1 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

/* The document's text, whose form 1.21 takes too. */
static const char old_form[] = "kind: EncryptionConfig\n"
                               "apiVersion: v1\n"
                               "resources:\n"
                               "  - resources:\n"
                               "      - secrets\n"
                               "    providers:\n"
                               "      - aescbc:\n"
                               "          keys:\n"
                               "            - name: key1\n"
                               "              secret: " KEY1 "\n"
                               "      - identity: {}\n";

static void there_and_back(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct encryption e AUTO_ENCRYPTION = {0};
    struct buffer out AUTO_BUFFER = buffer_heap();
    if (encryption_parse(old_form, strlen(old_form), &e, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(e.count, 1);
    assert_string_equal(e.kind, "EncryptionConfig");
    assert_string_equal(e.keys[0].secret, KEY1);
    encryption_print(&e, "1.12.3", &out);
    assert_string_equal(out.data, old_form);
    buffer_clear(&out);
    encryption_print(&e, "1.13.0", &out);
    assert_memory_equal(
        out.data,
        "kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources", 74);
}

static void kinds(void **state)
{
    (void)state;
    assert_string_equal(encryption_kind("1.7.0"), "EncryptionConfig");
    assert_string_equal(encryption_kind("1.12.10"), "EncryptionConfig");
    assert_string_equal(encryption_kind("1.13.0"), "EncryptionConfiguration");
    assert_string_equal(encryption_kind("1.21.0"), "EncryptionConfiguration");
    assert_string_equal(encryption_kind("2.0.0"), "EncryptionConfiguration");
}

static void rotation(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct encryption e AUTO_ENCRYPTION = {0};
    assert_int_equal(encryption_rotate(&e, &err), 0);
    assert_int_equal(encryption_rotate(&e, &err), 0);
    assert_int_equal(e.count, 2);
    assert_string_equal(e.keys[0].name, "key2");
    assert_string_equal(e.keys[1].name, "key1");
    assert_int_equal(strlen(e.keys[0].secret), 44);
    assert_string_not_equal(e.keys[0].secret, e.keys[1].secret);
    /* What was rotated can be read again; names that are not numbered do not count. */
    struct encryption again AUTO_ENCRYPTION = {0};
    struct buffer out AUTO_BUFFER = buffer_heap();
    encryption_print(&e, "1.21.0", &out);
    assert_int_equal(encryption_parse(out.data, out.len, &again, &err), 0);
    heap_free_at(&again.keys[0].name);
    again.keys[0].name = heap_copy("key7x");
    assert_int_equal(encryption_rotate(&again, &err), 0);
    assert_string_equal(again.keys[0].name, "key2");
    while (again.count < ENCRYPTION_KEYS_MAX)
        assert_int_equal(encryption_rotate(&again, &err), 0);
    assert_int_equal(encryption_rotate(&again, &err), -1);
}

/* The text with `from` replaced is refused with the message, which shows no key. */
static void refused(const char *from, const char *to, const char *message)
{
    struct error err = ERROR_INIT;
    struct encryption e AUTO_ENCRYPTION = {0};
    const char *at = strstr(old_form, from);
    assert_non_null(at);
    char *text AUTO_FREE =
        heap_printf("%.*s%s%s", (int)(at - old_form), old_form, to, at + strlen(from));
    assert_int_equal(encryption_parse(text, strlen(text), &e, &err), -1);
    assert_string_equal(err.text, message);
}

static void refuses_what_it_did_not_write(void **state)
{
    (void)state;
    refused("EncryptionConfig", "Pod",
            "encryption-config.yaml:1: 'Pod' is no kind of encryption configuration");
    refused("v1", "v2",
            "encryption-config.yaml:2: 'v2' is no version of an encryption "
            "configuration");
    refused("secrets", "events", "encryption-config.yaml:5: only `secrets` are expected");
    refused("aescbc", "secretbox",
            "encryption-config.yaml:7: unknown key; known here: aescbc, identity");
    refused(KEY1, "c2hvcnQ=", "encryption-config.yaml:10: this is not a key of 32 bytes in base64");
    refused(KEY1, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8#",
            "encryption-config.yaml:10: this is not a key of 32 bytes in base64");
    refused("      - identity: {}\n", "", "encryption-config.yaml:7: 1 items; 2 to 2 are allowed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(kinds),
        cmocka_unit_test(rotation),
        cmocka_unit_test(refuses_what_it_did_not_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
