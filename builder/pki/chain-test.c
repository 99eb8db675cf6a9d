#include "builder/pki/chain-fixture.h"

static int load(const struct buffer *pem, X509 **cert, struct certs *between, const char *message)
{
    struct error err = ERROR_INIT;
    int result = chain_load(pem, cert, between, &err);
    assert_int_equal(result, *message ? -1 : 0);
    assert_string_equal(err.text, message);
    return result;
}

static void files(void **state)
{
    (void)state;
    struct buffer pem AUTO_BUFFER = buffer_heap();
    struct certs between AUTO_CERTS = {0};
    X509 *cert AUTO_CERT = NULL, *none = NULL;
    buffer_puts(&pem, "about it\n");
    print_cert(made[LEAF], &pem);
    buffer_puts(&pem, "its CA\n");
    print_cert(made[MIDDLE], &pem);
    load(&pem, &cert, &between, "");
    assert_int_equal(X509_cmp(cert, made[LEAF]), 0);
    assert_int_equal(between.count, 1);
    assert_int_equal(X509_cmp(between.items[0], made[MIDDLE]), 0);
    print_cert(made[STRANGER], &pem);
    load(&pem, &none, &between,
         "its certificate 3 did not issue the one before it: the file must hold its own "
         "certificate first, then each one's issuer");
    assert_null(none);
}

static void no_files(void **state)
{
    (void)state;
    struct certs between AUTO_CERTS = {0};
    struct buffer pem AUTO_BUFFER = buffer_heap();
    X509 *none = NULL;
    load(&pem, &none, &between, "not a PEM text");
    buffer_puts(&pem, "hello\n");
    load(&pem, &none, &between, "holds no certificate in PEM form");
    buffer_add(&pem, "", 1);
    load(&pem, &none, &between, "not a PEM text");
    buffer_clear(&pem);
    buffer_puts(&pem, "-----BEGIN PRIVATE KEY-----\n");
    load(&pem, &none, &between, "holds a block 'PRIVATE KEY'; it must hold certificates only");
    buffer_clear(&pem);
    buffer_puts(&pem, "-----BEGIN CERTIFICATE-----\nMIIB\n");
    load(&pem, &none, &between, "a certificate has no end");
    buffer_puts(&pem, "-----END CERTIFICATE-----\n");
    load(&pem, &none, &between, "not a certificate in PEM form");
    buffer_clear(&pem);
    for (int i = 0; i <= CHAIN_MAX; i++)
        print_cert(made[ROOT], &pem);
    load(&pem, &none, &between, "holds more than 8 certificates");
    assert_null(none);
    assert_int_equal(between.count, 0);
}

static void who_signed(void **state)
{
    (void)state;
    const char *why = "";
    struct certs between AUTO_CERTS = {0};
    assert_true(chain_signed(made[LEAF], made[MIDDLE]));
    assert_false(chain_signed(made[LEAF], made[ROOT]));
    assert_true(chain_signed(made[ROOT], made[ROOT]));
    /* The name alone is not enough. */
    X509 *named AUTO_CERT = issue(&subjects[MIDDLE], keys[STRANGER], STRANGER, now);
    assert_false(chain_signed(made[LEAF], named));
    assert_true(chain_issued(made[LEAF], NULL, made[MIDDLE], &why));
    assert_false(chain_issued(made[LEAF], NULL, made[ROOT], &why));
    certs_add(&between, made[MIDDLE]);
    assert_true(chain_issued(made[LEAF], &between, made[ROOT], &why));
    assert_false(chain_issued(made[LEAF], &between, made[STRANGER], &why));
    assert_string_equal(why, "unable to get local issuer certificate");
}

static void built(X509 *cert, X509 *ca, const struct certs *pool, unsigned usages, time_t at,
                  size_t count, const char *message)
{
    struct error why = ERROR_INIT;
    struct certs between AUTO_CERTS = {0};
    int result = chain_build(cert, pool, ca, usages, at, &between, &why);
    assert_int_equal(result, *message ? -1 : 0);
    assert_string_equal(why.text, message);
    assert_int_equal(between.count, count);
}

static void what_leads_there(void **state)
{
    (void)state;
    struct certs pool AUTO_CERTS = {0};
    const unsigned both = USAGE_CLIENT | USAGE_SERVER;
    built(made[LEAF], made[MIDDLE], &pool, USAGE_CLIENT, now, 0, "");
    built(made[LEAF], made[ROOT], &pool, USAGE_CLIENT, now, 0,
          "unable to get local issuer certificate");
    for (size_t i = 0; i < COUNT; i++)
        if (i != LEAF)
            certs_add(&pool, made[COUNT - 1 - i == LEAF ? ROOT : COUNT - 1 - i]);
    certs_add(&pool, made[MIDDLE]);
    built(made[LEAF], made[ROOT], &pool, USAGE_CLIENT, now, 1, "");
    built(made[LEAF], made[ROOT], &pool, 0, now, 1, "");
    built(made[LEAF], made[MIDDLE], &pool, USAGE_CLIENT, now, 0, "");
    built(made[LEAF], made[ROOT], &pool, both, now, 0, "unsuitable certificate purpose");
    built(made[LEAF], made[ROOT], &pool, USAGE_CLIENT, now + 365 * day, 0,
          "certificate has expired: its issuer /CN=middle");
    built(made[LEAF], made[ROOT], &pool, USAGE_CLIENT, now - 20 * day, 0,
          "certificate is not yet valid: its issuer /CN=root");
}

/* What a CA that signs no others signs all the same. */
static void a_path_too_long(void **state)
{
    (void)state;
    struct subject last = subjects[MIDDLE], low = {.cn = (char *)"low", .ca = true, .hours = 240};
    struct certs pool AUTO_CERTS = {0};
    last.last_ca = true;
    X509 *end AUTO_CERT = issue(&last, keys[MIDDLE], ROOT, now);
    X509 *below AUTO_CERT = issue(&low, keys[STRANGER], MIDDLE, now);
    const struct issuer issuer = {below, keys[STRANGER]};
    struct error err = ERROR_INIT;
    X509 *cert AUTO_CERT = NULL;
    assert_int_equal(x509_issue(&subjects[LEAF], keys[LEAF], &issuer, now, &cert, &err), 0);
    certs_add(&pool, below);
    certs_add(&pool, end);
    built(cert, made[ROOT], &pool, USAGE_CLIENT, now, 0,
          "path length constraint exceeded: its issuer /CN=middle");
}

static void what_is_weak(void **state)
{
    (void)state;
    struct certs pool AUTO_CERTS = {0};
    EVP_PKEY *weak AUTO_KEY = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    X509 *cert AUTO_CERT = issue(&subjects[LEAF], weak, ROOT, now);
    built(cert, made[ROOT], &pool, USAGE_CLIENT, now, 0, "EE certificate key too weak");
    X509 *sha1 AUTO_CERT = issue(&subjects[MIDDLE], keys[MIDDLE], ROOT, now);
    assert_true(X509_sign(sha1, keys[ROOT], EVP_sha1()) > 0);
    certs_add(&pool, sha1);
    built(made[LEAF], made[ROOT], &pool, USAGE_CLIENT, now, 0,
          "CA signature digest algorithm too weak: its issuer /CN=middle");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),           cmocka_unit_test(no_files),
        cmocka_unit_test(who_signed),      cmocka_unit_test(what_leads_there),
        cmocka_unit_test(a_path_too_long), cmocka_unit_test(what_is_weak),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
