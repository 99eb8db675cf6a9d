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
#include "builder/pki/chain.h"
#include "builder/pki/check.h"

static const time_t now = 1609459200; /* 2021-01-01 00:00:00 */
static const time_t year = (time_t)8760 * 3600;

static const struct subject ca_subject = {
    .cn = "Kubernetes", .o = "Kubernetes", .ou = "CA", .ca = true, .hours = 87600};
static struct san sans[] = {{false, "worker-0"}, {true, "10.240.0.20"}, {true, "192.0.2.1"}};
static struct pki_subject asked;
static const struct identity worker = {.asked = &asked,
                                       .stem = "worker-0",
                                       .subject = {.cn = "system:node:worker-0",
                                                   .o = "system:nodes",
                                                   .ou = "Kubernetes The Hard Way",
                                                   .sans = sans,
                                                   .usages = USAGE_SERVER | USAGE_CLIENT,
                                                   .hours = 8760,
                                                   .country = "US",
                                                   .san_count = 2}};

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

static X509 *plain(const struct subject *s)
{
    return issue(s, key, ca, ca_key, now);
}

/* What is done with certificates that begin or end: reasons, and an error. */
static void dates(void **state)
{
    (void)state;
    struct error err = ERROR_INIT, why = ERROR_INIT;
    X509 *cert AUTO_CERT = plain(&worker.subject);
    assert_int_equal(check_begun("worker-0", cert, now - 300, &err), 0);
    assert_int_equal(check_begun("worker-0", cert, now - 301, &err), -1);
    assert_string_equal(err.text, "worker-0.pem is not valid before 2020-12-31: set the clock, or "
                                  "put another one there");
    assert_int_equal(check_lasts(cert, ca, now, now, &why), 0);
    assert_int_equal(check_lasts(cert, ca, now + year - 301, now + year - 301, &why), 0);
    assert_int_equal(check_lasts(cert, ca, now + year - 300, now + year - 300, &why), -1);
    assert_string_equal(why.text, "it expired on 2021-12-31");
    assert_int_equal(check_lasts(cert, ca, now, now + year - 301, &why), 0);
    assert_int_equal(check_lasts(cert, ca, now, now + year, &why), -1);
    assert_string_equal(why.text, "it ends on 2021-12-31");
    /* One that ends with its CA would come out the same. */
    X509 *last AUTO_CERT = issue(&worker.subject, key, ca, ca_key, now + 10 * year - 86400);
    assert_int_equal(check_lasts(last, ca, now + 10 * year - 86400, now + 11 * year, &why), 0);
}

/* The certificate does not fit for this reason, or (NULL) fits. Takes it over. */
static void fits(const struct identity *id, X509 *cert, const char *reason)
{
    struct error why = ERROR_INIT;
    int result = check_fit(id, cert, true, &why);
    X509_free(cert);
    assert_string_equal(why.text, reason ? reason : "");
    assert_int_equal(result, reason ? -1 : 0);
}

static void names(void **state)
{
    (void)state;
    struct subject s = worker.subject;
    fits(&worker, plain(&s), NULL);
    s.san_count = 3; /* an external address, which is no business of ours */
    fits(&worker, plain(&s), NULL);
    s = worker.subject;
    s.cn = "system:node:worker-1";
    fits(&worker, plain(&s), "its common name is not 'system:node:worker-0'");
    s = worker.subject;
    s.o = "system:masters";
    fits(&worker, plain(&s), "its one organization is not 'system:nodes'");
    s = worker.subject;
    s.san_count = 1;
    fits(&worker, plain(&s), "10.240.0.20 is not among its names");
    struct san wildcard[] = {{false, "*"}, {true, "10.240.0.20"}};
    s.sans = wildcard;
    s.san_count = 2;
    fits(&worker, plain(&s), "worker-0 is not among its names");
    struct san text[] = {{false, "worker-0"}, {false, "10.240.0.20"}};
    s.sans = text;
    fits(&worker, plain(&s), "it has 10.240.0.20 as a DNS name, not as an address");
}

static void names_of_a_closed_list(void **state)
{
    (void)state;
    struct identity closed = worker;
    struct subject s = worker.subject;
    closed.closed = true;
    fits(&closed, plain(&s), NULL);
    s.san_count = 3;
    fits(&closed, plain(&s), "192.0.2.1 is among its names, and not in the cluster file");
    struct san old[] = {{false, "worker-0"}, {true, "10.240.0.20"}, {false, "old.example.com"}};
    s.sans = old;
    fits(&closed, plain(&s), "'old.example.com' is among its names, and not in the cluster file");
}

/* Parts that the user wrote have to be there; by themselves they mean nothing to Kubernetes. */
static void parts_that_were_asked_for(void **state)
{
    (void)state;
    struct error why = ERROR_INIT;
    asked = (struct pki_subject){.country = (char *)"US"};
    fits(&worker, plain(&worker.subject), NULL);
    asked.unit = (char *)"Platform";
    fits(&worker, plain(&worker.subject), "its unit is not 'Platform'");
    X509 *cert AUTO_CERT = plain(&worker.subject);
    assert_int_equal(check_fit(&worker, cert, false, &why), 0);
    asked = (struct pki_subject){.state = (char *)"Oregon"};
    fits(&worker, plain(&worker.subject), "its state is not 'Oregon'");
    asked = (struct pki_subject){0};
}

/* A second organization would be a second group: system:masters is all power. */
static void a_second_organization(void **state)
{
    (void)state;
    X509 *cert = plain(&worker.subject);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_organizationName, V_ASN1_UTF8STRING,
                               (const unsigned char *)"system:masters", -1, -1, 0);
    assert_true(X509_sign(cert, ca_key, EVP_sha256()) > 0);
    fits(&worker, cert, "its one organization is not 'system:nodes'");
}

static void another_ca(void **state)
{
    (void)state;
    const char *why = "";
    EVP_PKEY *other_key AUTO_KEY = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *other AUTO_CERT = issue(&ca_subject, other_key, NULL, NULL, now);
    X509 *good AUTO_CERT = plain(&worker.subject);
    assert_true(chain_issued(good, NULL, ca, &why));
    X509 *cert AUTO_CERT = issue(&worker.subject, key, other, other_key, now);
    assert_false(chain_issued(cert, NULL, ca, &why));
    assert_true(*why != '\0');
    /* The same name and key identifier, but another signature. */
    X509 *forged AUTO_CERT = issue(&worker.subject, key, ca, other_key, now);
    assert_false(chain_issued(forged, NULL, ca, &why));
    /* Long after its end it is still this CA's. */
    X509 *old AUTO_CERT = issue(&worker.subject, key, ca, ca_key, now - 20 * year);
    assert_true(chain_issued(old, NULL, ca, &why));
}

static X509 *used_for(const char *usage)
{
    X509 *cert = plain(&worker.subject);
    X509_EXTENSION_free(X509_delete_ext(cert, X509_get_ext_by_NID(cert, NID_ext_key_usage, -1)));
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, NULL, NID_ext_key_usage, usage);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
    assert_true(X509_sign(cert, ca_key, EVP_sha256()) > 0);
    return cert;
}

static void usages(void **state)
{
    (void)state;
    fits(&worker, used_for("clientAuth"), "it is not a server's certificate");
    fits(&worker, used_for("serverAuth"), "it is not a client's certificate");
    fits(&worker, used_for("serverAuth,clientAuth,codeSigning"), NULL);
}

/* ca.pem may itself be issued by a CA of the company's. */
static void an_intermediate_ca(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    const char *why;
    EVP_PKEY *own_key AUTO_KEY = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *own AUTO_CERT = issue(&ca_subject, own_key, ca, ca_key, now);
    X509 *cert AUTO_CERT = issue(&worker.subject, key, own, own_key, now);
    assert_int_equal(check_ca("ca", own, now, &err), 0);
    assert_true(chain_issued(cert, NULL, own, &why));
}

static void cas(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    X509 *leaf AUTO_CERT = plain(&worker.subject);
    assert_int_equal(check_ca("ca", ca, now, &err), 0);
    assert_int_equal(check_ca("etcd-ca", leaf, now, &err), -1);
    assert_string_equal(err.text, "etcd-ca.pem is not a certificate that may sign others: put the "
                                  "cluster's CA there");
    assert_int_equal(check_ca("ca", ca, now + 10 * year, &err), -1);
    assert_memory_equal(err.text, "ca.pem expired on 2030-12-", 26);
    assert_non_null(strstr(err.text, ": `nodebake pki --new-ca` makes a new CA"));
    assert_int_equal(check_ca("ca", ca, now - 86400, &err), -1);
    assert_non_null(strstr(err.text, "ca.pem is not valid before 2020-12-31: set the clock"));
}

static void clocks(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    assert_int_equal(check_clock(1800000000, &err), 0);
    assert_int_equal(check_clock(now, &err), -1);
    assert_string_equal(err.text, "the clock says 2021-01-01, which cannot be: set it");
    static const time_t whole_year = 365L * 24 * 60 * 60;
    assert_int_equal(check_clock(NODEBAKE_RELEASED, &err), 0);
    assert_int_equal(check_clock(NODEBAKE_RELEASED - whole_year, &err), 0);
    assert_int_equal(check_clock(NODEBAKE_RELEASED - whole_year - 1, &err), -1);
    assert_int_equal(check_clock(NODEBAKE_RELEASED + 30 * whole_year - 1, &err), 0);
    assert_int_equal(check_clock(NODEBAKE_RELEASED + 30 * whole_year, &err), -1);
    assert_int_equal(check_clock((time_t)5000000000, &err), -1);
    assert_string_equal(err.text, "the clock says 2128-06-11, which cannot be: set it");
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
        cmocka_unit_test(dates),
        cmocka_unit_test(names),
        cmocka_unit_test(names_of_a_closed_list),
        cmocka_unit_test(parts_that_were_asked_for),
        cmocka_unit_test(a_second_organization),
        cmocka_unit_test(another_ca),
        cmocka_unit_test(usages),
        cmocka_unit_test(an_intermediate_ca),
        cmocka_unit_test(cas),
        cmocka_unit_test(clocks),
        cmocka_unit_test(pairs),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
