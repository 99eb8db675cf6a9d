#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "builder/heap.h"
#include "builder/pki/rsa.h"
#include "builder/pki/x509.h"

static EVP_PKEY *new_key(int bits)
{
    struct error err = ERROR_INIT;
    EVP_PKEY *key = NULL;
    if (rsa_key_new(bits, &key, &err) < 0)
        fail_msg("%s", err.text);
    return key;
}

static BIGNUM *part(EVP_PKEY *key, const char *name)
{
    BIGNUM *number = NULL;
    assert_true(EVP_PKEY_get_bn_param(key, name, &number));
    return number;
}

/* OpenSSL's own whole check: primes, their product and distance, d, and the parts for the Chinese
 * remainder theorem. */
static void openssl_is_content(void **state)
{
    (void)state;
    static const int bits[] = {2048, 2048, 2048, 3072, 4096};
    for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
        EVP_PKEY *key AUTO_KEY = new_key(bits[i]);
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
        assert_int_equal(EVP_PKEY_get_bits(key), bits[i]);
        assert_int_equal(EVP_PKEY_check(ctx), 1);
        assert_int_equal(EVP_PKEY_pairwise_check(ctx), 1);
        EVP_PKEY_CTX_free(ctx);
        BIGNUM *e = part(key, OSSL_PKEY_PARAM_RSA_E);
        assert_true(BN_is_word(e, 65537));
        BN_free(e);
    }
}

static void each_is_another(void **state)
{
    (void)state;
    EVP_PKEY *a AUTO_KEY = new_key(2048), *b AUTO_KEY = new_key(2048);
    static const char *const names[] = {OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2};
    BIGNUM *of_a[2], *of_b[2];
    for (int i = 0; i < 2; i++) {
        of_a[i] = part(a, names[i]);
        of_b[i] = part(b, names[i]);
    }
    assert_int_not_equal(BN_cmp(of_a[0], of_a[1]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_not_equal(BN_cmp(of_a[i / 2], of_b[i % 2]), 0);
    for (int i = 0; i < 2; i++) {
        BN_clear_free(of_a[i]);
        BN_clear_free(of_b[i]);
    }
}

/* Written and read again, it signs what its public half verifies. */
static void signs(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    EVP_PKEY *key AUTO_KEY = new_key(2048), *again AUTO_KEY = NULL;
    struct buffer pem AUTO_BUFFER = buffer_heap();
    unsigned char signature[256];
    size_t n = sizeof signature;
    EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
    assert_int_equal(x509_key_print(key, &pem, &err), 0);
    assert_int_equal(x509_key_parse(&pem, &again, &err), 0);
    assert_int_equal(EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, again), 1);
    assert_int_equal(EVP_DigestSign(sign, signature, &n, (const void *)"a", 1), 1);
    assert_int_equal(EVP_DigestVerifyInit(verify, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(verify, signature, n, (const void *)"a", 1), 1);
    EVP_MD_CTX_free(sign);
    EVP_MD_CTX_free(verify);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_is_content),
        cmocka_unit_test(each_is_another),
        cmocka_unit_test(signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
