#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "builder/pki/chain-fixture.h"

static struct san sans[] = {{false, (char *)"node, DNS:other"}, {true, (char *)"10.240.0.20"}};

static X509_REQ *request(const struct subject *s, EVP_PKEY *key)
{
    struct error err = ERROR_INIT;
    struct buffer pem AUTO_BUFFER = buffer_heap();
    if (x509_request(s, key, &pem, &err) < 0)
        fail_msg("%s", err.text);
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509_REQ *out = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(out);
    assert_int_equal(X509_REQ_verify(out, key), 1);
    return out;
}

/* The same extensions, byte by byte, as in a certificate for the subject, but for the identifiers.
 */
static void same_as_issued(const struct subject *s, EVP_PKEY *key)
{
    X509 *cert AUTO_CERT = issue(s, key, ROOT, now);
    X509_REQ *req = request(s, key);
    STACK_OF(X509_EXTENSION) *asked = X509_REQ_get_extensions(req);
    int n = sk_X509_EXTENSION_num(asked);
    assert_int_equal(n, X509_get_ext_count(cert) - 2);
    assert_int_equal(X509_NAME_cmp(X509_REQ_get_subject_name(req), X509_get_subject_name(cert)), 0);
    for (int i = 0; i < n; i++) {
        X509_EXTENSION *ext = sk_X509_EXTENSION_value(asked, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));
        X509_EXTENSION *own = X509_get_ext(cert, X509_get_ext_by_NID(cert, nid, -1));
        assert_int_equal(X509_EXTENSION_get_critical(ext), X509_EXTENSION_get_critical(own));
        assert_int_equal(
            ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(ext), X509_EXTENSION_get_data(own)), 0);
    }
    sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
    X509_REQ_free(req);
}

static void what_is_asked_for(void **state)
{
    (void)state;
    struct subject node = {.cn = (char *)"system:node:n",
                           .o = (char *)"system:nodes",
                           .country = (char *)"US",
                           .usages = USAGE_SERVER | USAGE_CLIENT,
                           .sans = sans,
                           .san_count = 2,
                           .hours = 24};
    struct subject last = subjects[MIDDLE];
    EVP_PKEY *rsa AUTO_KEY = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    EVP_PKEY *edwards AUTO_KEY = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    same_as_issued(&node, keys[LEAF]);
    same_as_issued(&node, rsa);
    same_as_issued(&node, edwards);
    same_as_issued(&subjects[LEAF], keys[LEAF]);
    same_as_issued(&last, keys[MIDDLE]);
    last.last_ca = true;
    same_as_issued(&last, keys[MIDDLE]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_asked_for)};
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
