#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "builder/heap.h"
#include "builder/pki/x509.h"

static const time_t now = 1609459200; /* 2021-01-01 00:00:00 */

static const struct subject ca_subject = {.cn = "Kubernetes",
                                          .o = "Kubernetes",
                                          .ou = "CA",
                                          .country = "US",
                                          .state = "Oregon",
                                          .locality = "Portland",
                                          .ca = true,
                                          .hours = 87600};
static struct san sans[] = {{false, "worker-0"}, {true, "10.240.0.20"}};
static const struct subject worker_subject = {.cn = "system:node:worker-0",
                                              .o = "system:nodes",
                                              .ou = "Kubernetes The Hard Way",
                                              .country = "US",
                                              .state = "Oregon",
                                              .locality = "Portland",
                                              .usages = USAGE_SERVER | USAGE_CLIENT,
                                              .hours = 8760,
                                              .sans = sans,
                                              .san_count = 2};

static EVP_PKEY *ca_key, *worker_key;
static X509 *ca, *worker;

static X509 *issue(const struct subject *s, EVP_PKEY *key, const struct issuer *by, time_t at)
{
    struct error err = ERROR_INIT;
    X509 *cert = NULL;
    if (x509_issue(s, key, by, at, &cert, &err) < 0)
        fail_msg("%s", err.text);
    return cert;
}

static int setup(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    if (x509_key_new(KEY_RSA_2048, &ca_key, &err) < 0 ||
        x509_key_new(KEY_RSA_2048, &worker_key, &err) < 0)
        return -1;
    const struct issuer by = {issue(&ca_subject, ca_key, NULL, now), ca_key};
    ca = by.cert;
    worker = issue(&worker_subject, worker_key, &by, now);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    X509_free(ca);
    X509_free(worker);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(worker_key);
    return 0;
}

static void assert_name(const X509_NAME *name, const char *expected)
{
    char text[512] = "";
    BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN);
    BIO_read(bio, text, sizeof text - 1);
    BIO_free(bio);
    assert_string_equal(text, expected);
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
        int type = ASN1_STRING_type(X509_NAME_ENTRY_get_data(e));
        assert_int_equal(type, i == 0 ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING);
    }
}

static void names(void **state)
{
    (void)state;
    const char *ca_name = "C=US, ST=Oregon, L=Portland, O=Kubernetes, OU=CA, CN=Kubernetes";
    assert_name(X509_get_subject_name(ca), ca_name);
    assert_name(X509_get_issuer_name(ca), ca_name);
    assert_name(X509_get_issuer_name(worker), ca_name);
    assert_name(X509_get_subject_name(worker),
                "C=US, ST=Oregon, L=Portland, O=system:nodes, OU=Kubernetes The Hard Way, "
                "CN=system:node:worker-0");
}

static void assert_seconds_after_now(const ASN1_TIME *time, int64_t seconds)
{
    ASN1_TIME *base = ASN1_TIME_set(NULL, now);
    int days = 0, rest = 0;
    assert_int_equal(ASN1_TIME_diff(&days, &rest, base, time), 1);
    assert_int_equal((int64_t)days * 86400 + rest, seconds);
    ASN1_TIME_free(base);
}

static void times(void **state)
{
    (void)state;
    assert_seconds_after_now(X509_get0_notBefore(worker), -300);
    assert_seconds_after_now(X509_get0_notAfter(worker), INT64_C(8760) * 3600 - 300);
    assert_seconds_after_now(X509_get0_notBefore(ca), -300);
    assert_seconds_after_now(X509_get0_notAfter(ca), INT64_C(87600) * 3600 - 300);
    /* A year before the CA's end, to the second; and later than that. */
    const struct issuer by = {ca, ca_key};
    time_t late = now + (time_t)9 * 365 * 86400 + 200 * 86400;
    X509 *cert AUTO_CERT = issue(&worker_subject, worker_key, &by, late);
    assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(cert), X509_get0_notAfter(ca)), 0);
}

static void keys_and_signatures(void **state)
{
    (void)state;
    assert_int_equal(X509_get_version(worker), X509_VERSION_3);
    assert_int_equal(EVP_PKEY_get_bits(worker_key), 2048);
    assert_true(EVP_PKEY_is_a(worker_key, "RSA"));
    assert_int_equal(X509_get_signature_nid(worker), NID_sha256WithRSAEncryption);
    assert_int_equal(X509_get_signature_nid(ca), NID_sha256WithRSAEncryption);
    assert_int_equal(X509_check_private_key(worker, worker_key), 1);
    assert_int_equal(X509_verify(worker, ca_key), 1);
    assert_int_equal(X509_verify(ca, ca_key), 1);
    assert_int_equal(X509_check_issued(ca, worker), X509_V_OK);
}

static void serials(void **state)
{
    (void)state;
    const struct issuer by = {ca, ca_key};
    int longest = 0;
    char *last AUTO_FREE = heap_copy("");
    for (int i = 0; i < 8; i++) {
        X509 *cert AUTO_CERT = issue(&worker_subject, worker_key, &by, now);
        BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
        assert_non_null(bn);
        assert_false(BN_is_negative(bn) || BN_is_zero(bn));
        assert_in_range(BN_num_bits(bn), 64, 128);
        longest = BN_num_bits(bn) > longest ? BN_num_bits(bn) : longest;
        char *hex = BN_bn2hex(bn);
        assert_string_not_equal(hex, last);
        heap_free_at(&last);
        last = heap_copy(hex);
        OPENSSL_free(hex);
        BN_free(bn);
    }
    assert_true(longest > 120);
}

static void assert_extension(X509 *cert, int nid, bool critical, const char *expected)
{
    char text[512] = "";
    int at = X509_get_ext_by_NID(cert, nid, -1);
    assert_true(at >= 0);
    assert_int_equal(X509_get_ext_by_NID(cert, nid, at), -1);
    X509_EXTENSION *ext = X509_get_ext(cert, at);
    assert_int_equal(X509_EXTENSION_get_critical(ext), critical);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(X509V3_EXT_print(bio, ext, 0, 0), 1);
    BIO_read(bio, text, sizeof text - 1);
    BIO_free(bio);
    if (expected)
        assert_string_equal(text, expected);
}

static void extensions(void **state)
{
    (void)state;
    assert_extension(ca, NID_basic_constraints, true, "CA:TRUE");
    assert_extension(ca, NID_key_usage, true, "Certificate Sign, CRL Sign");
    assert_extension(worker, NID_basic_constraints, true, "CA:FALSE");
    assert_extension(worker, NID_key_usage, true, "Digital Signature, Key Encipherment");
    assert_extension(worker, NID_ext_key_usage, false,
                     "TLS Web Server Authentication, TLS Web Client Authentication");
    assert_extension(worker, NID_subject_alt_name, false, "DNS:worker-0, IP Address:10.240.0.20");
    assert_extension(worker, NID_subject_key_identifier, false, NULL);
    assert_extension(worker, NID_authority_key_identifier, false, NULL);
    assert_int_equal(X509_get_ext_count(worker), 6);
    assert_int_equal(X509_get_ext_count(ca), 4);
    const ASN1_OCTET_STRING *of_ca = X509_get0_subject_key_id(ca);
    assert_non_null(of_ca);
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(worker), of_ca), 0);
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(ca), of_ca), 0);
    assert_int_not_equal(ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(worker), of_ca), 0);
}

/* What openssl verify would do, for both sides of TLS. */
static void verifies(void **state)
{
    (void)state;
    static const int purposes[] = {X509_PURPOSE_SSL_CLIENT, X509_PURPOSE_SSL_SERVER};
    X509_STORE *store = X509_STORE_new();
    X509_STORE_add_cert(store, ca);
    for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
        X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        assert_int_equal(X509_STORE_CTX_init(ctx, store, worker, NULL), 1);
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
        X509_VERIFY_PARAM_set_time(param, now);
        X509_VERIFY_PARAM_set_flags(param,
                                    X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
        X509_VERIFY_PARAM_set_purpose(param, purposes[i]);
        X509_VERIFY_PARAM_set1_host(param, "worker-0", 0);
        X509_VERIFY_PARAM_set1_ip_asc(param, "10.240.0.20");
        if (X509_verify_cert(ctx) != 1)
            fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
        X509_STORE_CTX_free(ctx);
    }
    X509_STORE_free(store);
}

/* CAs that others made: elliptic curves, and without a subject key identifier. */
static void other_cas(void **state)
{
    (void)state;
    static const char *const types[] = {"P-256", "ED25519"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        EVP_PKEY *key AUTO_KEY = i == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", types[i])
                                        : EVP_PKEY_Q_keygen(NULL, NULL, types[i]);
        assert_non_null(key);
        X509 *other AUTO_CERT = issue(&ca_subject, key, NULL, now);
        X509_EXTENSION *ext =
            X509_delete_ext(other, X509_get_ext_by_NID(other, NID_subject_key_identifier, -1));
        X509_EXTENSION_free(ext);
        const struct issuer by = {other, key};
        X509 *cert AUTO_CERT = issue(&worker_subject, worker_key, &by, now);
        assert_int_equal(X509_verify(cert, key), 1);
        assert_int_equal(X509_get_ext_by_NID(cert, NID_authority_key_identifier, -1), -1);
    }
}

/* Every kind of key that a cluster may ask for; only RSA can encipher others. */
static void key_types(void **state)
{
    (void)state;
    static const struct {
        enum key_type type;
        const char *name, *usage;
        int bits;
    } types[] = {
        {KEY_RSA_3072, "RSA", "Digital Signature, Key Encipherment", 3072},
        {KEY_ECDSA_P256, "EC", "Digital Signature", 256},
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct error err = ERROR_INIT;
        EVP_PKEY *key AUTO_KEY = NULL;
        assert_int_equal(x509_key_new(types[i].type, &key, &err), 0);
        assert_true(EVP_PKEY_is_a(key, types[i].name));
        assert_int_equal(EVP_PKEY_get_bits(key), types[i].bits);
        X509 *cert AUTO_CERT = issue(&worker_subject, key, &(struct issuer){ca, ca_key}, now);
        assert_extension(cert, NID_key_usage, true, types[i].usage);
        X509 *own AUTO_CERT = issue(&ca_subject, key, NULL, now);
        assert_extension(own, NID_key_usage, true, "Certificate Sign, CRL Sign");
        assert_int_equal(X509_verify(own, key), 1);
    }
}

static void usages_and_validity(void **state)
{
    (void)state;
    struct subject s = worker_subject;
    const struct issuer by = {ca, ca_key};
    s.usages = USAGE_CLIENT;
    s.hours = 1;
    X509 *client AUTO_CERT = issue(&s, worker_key, &by, now);
    assert_extension(client, NID_ext_key_usage, false, "TLS Web Client Authentication");
    assert_seconds_after_now(X509_get0_notAfter(client), 3600 - 300);
    s.usages = USAGE_SERVER;
    s.state = s.ou = NULL;
    X509 *server AUTO_CERT = issue(&s, worker_key, &by, now);
    assert_extension(server, NID_ext_key_usage, false, "TLS Web Server Authentication");
    assert_name(X509_get_subject_name(server),
                "C=US, L=Portland, O=system:nodes, CN=system:node:worker-0");
}

/* A name that OpenSSL's own parser of extensions would split. */
static void names_are_taken_as_they_are(void **state)
{
    (void)state;
    struct san odd[] = {{false, "a,DNS:evil"}};
    struct subject s = worker_subject;
    s.sans = odd;
    s.san_count = 1;
    X509 *cert AUTO_CERT = issue(&s, worker_key, &(struct issuer){ca, ca_key}, now);
    GENERAL_NAMES *found = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(found), 1);
    GENERAL_NAMES_free(found);
    struct error err = ERROR_INIT;
    X509 *none AUTO_CERT = NULL;
    odd[0] = (struct san){true, "10.240.0.256"};
    assert_int_equal(x509_issue(&s, worker_key, NULL, now, &none, &err), -1);
    assert_memory_equal(err.text, "issue a certificate", 19);
    assert_null(none);
}

static void pem_there_and_back(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer key_pem AUTO_BUFFER = buffer_heap(), cert_pem AUTO_BUFFER = buffer_heap();
    EVP_PKEY *key AUTO_KEY = NULL;
    X509 *cert AUTO_CERT = NULL;
    assert_int_equal(x509_key_print(worker_key, &key_pem, &err), 0);
    assert_int_equal(x509_cert_print(worker, &cert_pem, &err), 0);
    assert_memory_equal(key_pem.data, "-----BEGIN PRIVATE KEY-----\n", 28);
    assert_memory_equal(cert_pem.data, "-----BEGIN CERTIFICATE-----\n", 28);
    assert_int_equal(x509_key_parse(&key_pem, &key, &err), 0);
    assert_int_equal(x509_cert_parse(&cert_pem, &cert, &err), 0);
    assert_int_equal(EVP_PKEY_eq(key, worker_key), 1);
    assert_int_equal(X509_cmp(cert, worker), 0);
}

static void refuses_a_passphrase(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer pem AUTO_BUFFER = buffer_heap();
    EVP_PKEY *key AUTO_KEY = NULL;
    char *bytes;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(bio, worker_key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL),
        1);
    long n = BIO_get_mem_data(bio, &bytes);
    buffer_add(&pem, bytes, (size_t)n);
    BIO_free(bio);
    assert_int_equal(x509_key_parse(&pem, &key, &err), -1);
    assert_string_equal(err.text, "protected by a passphrase; nodebake needs the key without one");
    assert_null(key);
    buffer_add(&pem, "\0", 1);
    assert_int_equal(x509_key_parse(&pem, &key, &err), -1);
    assert_string_equal(err.text, "not a PEM text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(times),
        cmocka_unit_test(keys_and_signatures),
        cmocka_unit_test(serials),
        cmocka_unit_test(extensions),
        cmocka_unit_test(verifies),
        cmocka_unit_test(other_cas),
        cmocka_unit_test(key_types),
        cmocka_unit_test(usages_and_validity),
        cmocka_unit_test(names_are_taken_as_they_are),
        cmocka_unit_test(pem_there_and_back),
        cmocka_unit_test(refuses_a_passphrase),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
