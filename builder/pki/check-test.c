#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "builder/heap.h"
#include "builder/pki/check.h"

static const time_t now = 1609459200; /* 2021-01-01 00:00:00 */
static const time_t year = (time_t)8760 * 3600;

static const struct subject ca_subject = {
    .cn = "Kubernetes", .o = "Kubernetes", .ou = "CA", .ca = true};
static struct san sans[] = {{false, "worker-0"}, {true, "10.240.0.20"}, {true, "192.0.2.1"}};
static const struct identity worker = {.stem = "worker-0",
                                       .subject = {.cn = "system:node:worker-0",
                                                   .o = "system:nodes",
                                                   .ou = "Kubernetes The Hard Way",
                                                   .sans = sans,
                                                   .san_count = 2},
                                       .serves = true};

/* Elliptic curves: made in no time, and as good as any to the checks. */
static EVP_PKEY *ca_key, *key;
static X509 *ca;

static X509 *issue(const struct subject *s, EVP_PKEY *holder, X509 *by, EVP_PKEY *by_key, time_t at)
{
    struct error err = ERROR_INIT;
    X509 *cert = NULL;
    const struct issuer issuer = {by, by_key};
    if (x509_issue(s, holder, by ? &issuer : NULL, at, &cert, &err) < 0)
        fail_msg("%s", err.text);
    return cert;
}

static int setup(void **state)
{
    (void)state;
    ca_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    ca = issue(&ca_subject, ca_key, NULL, NULL, now);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    return 0;
}

/* The certificate is refused with this message, or (NULL) found good. Takes it over. */
static void checked(X509 *cert, time_t at, const char *message)
{
    struct error err = ERROR_INIT;
    int result = check_cert(&worker, cert, ca, at, &err);
    X509_free(cert);
    assert_int_equal(result, message ? -1 : 0);
    assert_string_equal(err.text, message ? message : "");
}

static X509 *plain(const struct subject *s)
{
    return issue(s, key, ca, ca_key, now);
}

#define RENEW ": remove it to have a new one issued for the same key"

static void good_ones(void **state)
{
    (void)state;
    struct subject more = worker.subject;
    more.san_count = 3; /* an external address, which is no business of ours */
    checked(plain(&worker.subject), now, NULL);
    checked(plain(&more), now, NULL);
    checked(plain(&worker.subject), now + year - 301, NULL);
    checked(plain(&worker.subject), now - 299, NULL);
}

static void dates(void **state)
{
    (void)state;
    checked(plain(&worker.subject), now + year, "worker-0.pem expired on 2021-12-31" RENEW);
    checked(plain(&worker.subject), now - 301,
            "worker-0.pem is not valid before 2020-12-31: set the clock, or remove it to have a "
            "new one issued for the same key");
}

static void names(void **state)
{
    (void)state;
    struct subject s = worker.subject;
    s.cn = "system:node:worker-1";
    checked(plain(&s), now, "worker-0.pem has not the common name 'system:node:worker-0'" RENEW);
    s = worker.subject;
    s.o = "system:masters";
    checked(plain(&s), now, "worker-0.pem has not the one organization 'system:nodes'" RENEW);
    s = worker.subject;
    s.san_count = 1;
    checked(plain(&s), now, "worker-0.pem is not issued for 10.240.0.20" RENEW);
    struct san wildcard[] = {{false, "*"}, {true, "10.240.0.20"}};
    s.sans = wildcard;
    s.san_count = 2;
    checked(plain(&s), now, "worker-0.pem is not issued for worker-0" RENEW);
}

/* A second organization would be a second group: system:masters is all power. */
static void a_second_organization(void **state)
{
    (void)state;
    X509 *cert = plain(&worker.subject);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_organizationName, V_ASN1_UTF8STRING,
                               (const unsigned char *)"system:masters", -1, -1, 0);
    assert_true(X509_sign(cert, ca_key, EVP_sha256()) > 0);
    checked(cert, now, "worker-0.pem has not the one organization 'system:nodes'" RENEW);
}

static void another_ca(void **state)
{
    (void)state;
    EVP_PKEY *other_key AUTO_KEY = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *other AUTO_CERT = issue(&ca_subject, other_key, NULL, NULL, now);
    struct error err = ERROR_INIT;
    X509 *cert AUTO_CERT = issue(&worker.subject, key, other, other_key, now);
    assert_int_equal(check_cert(&worker, cert, ca, now, &err), -1);
    assert_memory_equal(err.text, "worker-0.pem does not verify against ca.pem (", 45);
    assert_non_null(strstr(err.text, "): put back the ca.pem that issued it, or remove "
                                     "worker-0.pem to have a new one issued"));
    /* The same name and key identifier, but another signature. */
    X509 *forged AUTO_CERT = issue(&worker.subject, key, ca, other_key, now);
    assert_int_equal(check_cert(&worker, forged, ca, now, &err), -1);
    assert_memory_equal(err.text, "worker-0.pem does not verify against ca.pem (", 45);
}

static void set_usage(X509 *cert, const char *usage)
{
    X509_EXTENSION_free(X509_delete_ext(cert, X509_get_ext_by_NID(cert, NID_ext_key_usage, -1)));
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, NULL, NID_ext_key_usage, usage);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
    assert_true(X509_sign(cert, ca_key, EVP_sha256()) > 0);
}

static void usages(void **state)
{
    (void)state;
    X509 *client = plain(&worker.subject);
    set_usage(client, "clientAuth");
    checked(client, now, "worker-0.pem is not a server's certificate" RENEW);
    X509 *server AUTO_CERT = plain(&worker.subject);
    struct error err = ERROR_INIT;
    set_usage(server, "serverAuth");
    assert_int_equal(check_cert(&worker, server, ca, now, &err), -1);
    assert_memory_equal(err.text, "worker-0.pem does not verify against ca.pem (", 45);
}

/* ca.pem may itself be issued by a CA of the company's. */
static void an_intermediate_ca(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    EVP_PKEY *own_key AUTO_KEY = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *own AUTO_CERT = issue(&ca_subject, own_key, ca, ca_key, now);
    X509 *cert AUTO_CERT = issue(&worker.subject, key, own, own_key, now);
    assert_int_equal(check_ca(own, now, &err), 0);
    assert_int_equal(check_cert(&worker, cert, own, now, &err), 0);
}

static void cas(void **state)
{
    (void)state;
    static const char advice[] =
        ": move the folder away to have a new CA, and all certificates, issued";
    struct error err = ERROR_INIT;
    X509 *leaf AUTO_CERT = plain(&worker.subject);
    assert_int_equal(check_ca(ca, now, &err), 0);
    assert_int_equal(check_ca(leaf, now, &err), -1);
    assert_string_equal(err.text, "ca.pem is not a certificate that may sign others: put the "
                                  "cluster's CA there");
    assert_int_equal(check_ca(ca, now + 10 * year, &err), -1);
    assert_memory_equal(err.text, "ca.pem expired on 2030-12-", 26);
    assert_non_null(strstr(err.text, advice));
}

static void pairs(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    assert_int_equal(check_pair("ca", ca, ca_key, &err), 0);
    assert_int_equal(check_pair("ca", ca, key, &err), -1);
    assert_string_equal(err.text, "ca.pem is not the certificate of ca-key.pem: put back the one "
                                  "of the two that was replaced");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(dates),
        cmocka_unit_test(names),
        cmocka_unit_test(a_second_organization),
        cmocka_unit_test(another_ca),
        cmocka_unit_test(usages),
        cmocka_unit_test(an_intermediate_ca),
        cmocka_unit_test(cas),
        cmocka_unit_test(pairs),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
