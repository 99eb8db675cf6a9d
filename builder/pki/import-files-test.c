#include "builder/pki/import-files.h"

#include "builder/pki/chain-fixture.h"

static void add(struct import_files *files, const char *name, X509 *first, X509 *second)
{
    struct error err = ERROR_INIT;
    struct buffer pem AUTO_BUFFER = buffer_heap();
    print_cert(first, &pem);
    if (second)
        print_cert(second, &pem);
    if (import_parse(name, &pem, now, files, &err) < 0)
        fail_msg("%s", err.text);
}

static void refused(X509 *first, X509 *second, time_t at, const char *message)
{
    struct error err = ERROR_INIT;
    struct import_files files AUTO_IMPORT_FILES = {0};
    struct buffer pem AUTO_BUFFER = buffer_heap();
    print_cert(first, &pem);
    if (second)
        print_cert(second, &pem);
    assert_int_equal(import_parse("f", &pem, at, &files, &err), -1);
    assert_string_equal(err.text, message);
}

static void what_is_what(void **state)
{
    (void)state;
    struct import_files files AUTO_IMPORT_FILES = {0};
    struct error err = ERROR_INIT;
    add(&files, "chain", made[MIDDLE], made[LEAF]);
    add(&files, "roots", made[ROOT], made[STRANGER]);
    assert_int_equal(files.count, 4);
    assert_int_equal(files.cas.count, 3);
    assert_true(files.items[0].ca && !files.items[0].alone && !files.items[1].ca);
    assert_true(files.items[2].alone && files.items[3].alone);
    assert_string_equal(files.items[1].name, "/CN=leaf");
    /* Once more, and now by itself. */
    add(&files, "middle", made[MIDDLE], NULL);
    assert_int_equal(files.count, 4);
    assert_true(files.items[0].alone);
    assert_int_equal(import_check_signers(&files, &err), 0);
}

static void what_is_used(void **state)
{
    (void)state;
    struct import_files files AUTO_IMPORT_FILES = {0};
    add(&files, "chain", made[LEAF], made[MIDDLE]);
    add(&files, "roots", made[ROOT], made[STRANGER]);
    import_use(&files, made[MIDDLE]);
    assert_false(files.items[0].used);
    assert_true(files.items[1].used && files.items[2].used);
    assert_false(files.items[3].used);
}

static void what_is_refused(void **state)
{
    (void)state;
    refused(made[LEAF], made[LEAF], now, "f: the certificate of /CN=leaf is in f already");
    refused(made[LEAF], NULL, now + 400 * day,
            "f: the certificate of /CN=leaf: it expired on 2028-01-05");
    refused(made[LEAF], NULL, now - 11 * day,
            "f: the certificate of /CN=leaf: it is not valid before 2027-01-05");
    EVP_PKEY *weak AUTO_KEY = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    X509 *cert AUTO_CERT = issue(&subjects[MIDDLE], weak, ROOT, now);
    refused(made[LEAF], cert, now,
            "f: the certificate of /CN=middle: its key of 1024 bits is too weak");
}

static void who_may_not_sign(void **state)
{
    (void)state;
    struct import_files files AUTO_IMPORT_FILES = {0};
    struct error err = ERROR_INIT;
    struct subject plain = subjects[MIDDLE];
    plain.ca = false;
    X509 *cert AUTO_CERT = issue(&plain, keys[MIDDLE], ROOT, now);
    add(&files, "f", made[LEAF], cert);
    assert_int_equal(import_check_signers(&files, &err), -1);
    assert_string_equal(err.text, "f: the certificate of /CN=middle signed that of /CN=leaf, and "
                                  "may not: a CA's has CA:TRUE and keyCertSign");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_what),
        cmocka_unit_test(what_is_used),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(who_may_not_sign),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
