#include "builder/pki/convert.h"
#include "builder/pki/pki-fixture.h"

#include "builder/pki/passphrase-fixture.h"

static unsigned converted;

static int convert(enum conversion how, struct error *err)
{
    return pki_convert(dir, how, false, &converted, err);
}

static void converts(enum conversion how, unsigned expected)
{
    struct error err = ERROR_INIT;
    if (convert(how, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(converted, expected);
}

/* With the message behind the folder, and nothing is touched. */
static void convert_refused(enum conversion how, const char *message)
{
    struct error err = ERROR_INIT;
    struct buffer before AUTO_BUFFER = snapshot(dir);
    char *expected AUTO_FREE = heap_printf("pki folder %s: %s", dir, message);
    assert_int_equal(convert(how, &err), -1);
    assert_string_equal(err.text, expected);
    struct buffer after AUTO_BUFFER = snapshot(dir);
    assert_string_equal(before.data, after.data);
}

static bool there(const char *name)
{
    char *path AUTO_FREE = in(dir, name);
    return access(path, F_OK) == 0;
}

static unsigned secret_count(void)
{
    unsigned n = 0;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        n += (mode_of(files[i]) & 077) == 0;
    return n;
}

static void there_and_back(void **state)
{
    (void)state;
    unsigned secrets = secret_count();
    give(PASSPHRASE_NOW, "open sesame");
    converts(CONVERT_ENCRYPT, secrets);
    assert_false(there("admin.kubeconfig"));
    assert_int_equal(mode_of("admin.kubeconfig.cms") & 07777, 0600);
    assert_int_equal(mode_of("ca-key.pem") & 07777, 0600);
    assert_int_equal(issue(), 0);
    converts(CONVERT_ENCRYPT, 0);
    converts(CONVERT_DECRYPT, secrets);
    assert_false(passphrase_given(PASSPHRASE_NOW));
    assert_false(there("admin.kubeconfig.cms"));
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        assert_true(same_as_reference(files[i]));
    assert_int_equal(issue(), 0);
}

static void a_dry_run_writes_nothing(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer before AUTO_BUFFER = snapshot(dir);
    give(PASSPHRASE_NOW, "open sesame");
    assert_int_equal(pki_convert(dir, CONVERT_ENCRYPT, true, &converted, &err), 0);
    assert_int_equal(converted, secret_count());
    struct buffer after AUTO_BUFFER = snapshot(dir);
    assert_string_equal(before.data, after.data);
}

static void nothing_is_half_encrypted(void **state)
{
    (void)state;
    give(PASSPHRASE_NOW, "open sesame");
    refused("worker-0.kubeconfig is not encrypted: `nodebake pki --encrypt` does that, or go on "
            "without a passphrase");
    converts(CONVERT_ENCRYPT, secret_count());
    copy("kube-proxy-key.pem");
    refused("worker-0.kubeconfig.cms is encrypted and kube-proxy-key.pem is not: `nodebake pki "
            "--encrypt`, or --decrypt, completes it");
    copy("admin.kubeconfig");
    converts(CONVERT_ENCRYPT, 2);
    assert_int_equal(issue(), 0);
    passphrase_forget();
    refused("worker-0.kubeconfig.cms is encrypted: give --passphrase-file or --passphrase-fd");
    give(PASSPHRASE_NOW, "close sesame");
    refused("admin-key.pem: the passphrase does not open it");
    convert_refused(CONVERT_ENCRYPT, "admin-key.pem: the passphrase does not open it");
    convert_refused(CONVERT_DECRYPT, "admin-key.pem: the passphrase does not open it");
}

static void two_texts_that_differ_are_the_users(void **state)
{
    (void)state;
    give(PASSPHRASE_NOW, "open sesame");
    converts(CONVERT_ENCRYPT, secret_count());
    copy_as("admin-public.kubeconfig", "admin.kubeconfig");
    convert_refused(CONVERT_ENCRYPT, "admin.kubeconfig.cms: admin.kubeconfig and "
                                     "admin.kubeconfig.cms differ: remove the one that is wrong");
    convert_refused(CONVERT_DECRYPT, "admin.kubeconfig.cms: admin.kubeconfig and "
                                     "admin.kubeconfig.cms differ: remove the one that is wrong");
}

static void what_is_no_key_is_not_encrypted(void **state)
{
    (void)state;
    give(PASSPHRASE_NOW, "open sesame");
    copy_as("ca.pem", "zz-key.pem");
    char *path AUTO_FREE = in(dir, "zz-key.pem");
    assert_int_equal(chmod(path, 0600), 0);
    convert_refused(CONVERT_ENCRYPT, "zz-key.pem: not a private key in PEM form");
    assert_int_equal(chmod(path, 0644), 0);
    convert_refused(CONVERT_ENCRYPT, "zz-key.pem has mode 0644, so that others can read or write "
                                     "it: chmod 0600 zz-key.pem");
    drop("zz-key.pem");
}

static void the_passphrase_changes(void **state)
{
    (void)state;
    unsigned secrets = secret_count();
    give(PASSPHRASE_NOW, "open sesame");
    give(PASSPHRASE_NEXT, "close sesame");
    convert_refused(CONVERT_CHANGE, "admin-key.pem: it is not encrypted: `nodebake pki --encrypt` "
                                    "does that");
    converts(CONVERT_ENCRYPT, secrets);
    converts(CONVERT_CHANGE, secrets);
    assert_int_equal(issue(), 0);
    give(PASSPHRASE_NOW, "open sesame");
    refused("admin-key.pem: the passphrase does not open it");
    /* Again, as after a cut. */
    give(PASSPHRASE_NEXT, "close sesame");
    converts(CONVERT_CHANGE, 0);
    assert_int_equal(issue(), 0);
}

static void new_keys_are_encrypted(void **state)
{
    (void)state;
    give(PASSPHRASE_NOW, "open sesame");
    converts(CONVERT_ENCRYPT, secret_count());
    drop("worker-0-key.pem");
    drop("worker-0.pem");
    assert_int_equal(issue(), 3);
    assert_non_null(strstr(did, "write worker-0.kubeconfig.cms: its certificate is new"));
    struct buffer text AUTO_BUFFER = content(dir, "worker-0-key.pem");
    assert_non_null(strstr(text.data, "BEGIN ENCRYPTED PRIVATE KEY"));
    assert_false(there("worker-0.kubeconfig"));
}

static int plain_setup(void **state)
{
    passphrase_forget();
    return setup(state);
}

static int forget(void **state)
{
    passphrase_forget();
    return group_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(there_and_back, plain_setup),
        cmocka_unit_test_setup(a_dry_run_writes_nothing, plain_setup),
        cmocka_unit_test_setup(nothing_is_half_encrypted, plain_setup),
        cmocka_unit_test_setup(two_texts_that_differ_are_the_users, plain_setup),
        cmocka_unit_test_setup(what_is_no_key_is_not_encrypted, plain_setup),
        cmocka_unit_test_setup(the_passphrase_changes, plain_setup),
        cmocka_unit_test_setup(new_keys_are_encrypted, plain_setup),
    };
    return cmocka_run_group_tests_name("convert", tests, group_setup, forget);
}
