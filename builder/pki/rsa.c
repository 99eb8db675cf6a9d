/* OpenSSL 3 builds the primes of an RSA key out of smaller auxiliary primes (FIPS 186-4, B.3.6),
 * which takes more than twice as long as a search, and which that standard asks for below 1024 bits
 * a prime only. So the primes come from BN_generate_prime_ex2, as OpenSSL 1.1.1 took them (B.3.3:
 * probable primes of a random start), and the rest is arithmetic. */
#include "builder/pki/rsa.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdbool.h>

#include "builder/pki/x509.h"

enum { EXPONENT = 65537, DISTANCE_BITS = 100 };

/* The numbers of a key, in BN_CTX's pool, which is wiped when it is freed. */
struct numbers {
    BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qinv;
};

static void ctx_free_at(BN_CTX **ctx)
{
    BN_CTX_free(*ctx);
}

static void pkey_ctx_free_at(EVP_PKEY_CTX **ctx)
{
    EVP_PKEY_CTX_free(*ctx);
}

static void build_free_at(OSSL_PARAM_BLD **build)
{
    OSSL_PARAM_BLD_free(*build);
}

static void params_free_at(OSSL_PARAM **params)
{
    OSSL_PARAM_free(*params);
}

/* Computed with in the same time, whatever its bits are. */
static BIGNUM *secret(BN_CTX *ctx)
{
    BIGNUM *number = BN_CTX_get(ctx);
    if (number)
        BN_set_flags(number, BN_FLG_CONSTTIME);
    return number;
}

/* The two highest bits are set, so that a product has all its bits. */
static bool find_prime(int bits, BIGNUM *prime, BN_CTX *ctx)
{
    do
        if (!BN_generate_prime_ex2(prime, bits, 0, NULL, NULL, NULL, ctx))
            return false;
    while (BN_mod_word(prime, EXPONENT) == 1); /* no inverse of the exponent */
    return true;
}

/* Primes that are close to each other could be guessed from their product. */
static bool find_primes(int bits, struct numbers *k, BN_CTX *ctx)
{
    BIGNUM *distance = secret(ctx);
    if (!distance || !find_prime(bits, k->p, ctx))
        return false;
    do
        if (!find_prime(bits, k->q, ctx) || !BN_sub(distance, k->p, k->q))
            return false;
    while (BN_num_bits(distance) <= bits - DISTANCE_BITS);
    if (BN_is_negative(distance))
        BN_swap(k->p, k->q);
    return true;
}

/* d is e's inverse modulo the least common multiple of p - 1 and q - 1. */
static bool derive(struct numbers *k, BN_CTX *ctx)
{
    BIGNUM *p1 = secret(ctx), *q1 = secret(ctx), *gcd = secret(ctx), *product = secret(ctx);
    BIGNUM *lcm = secret(ctx);
    return lcm && BN_mul(k->n, k->p, k->q, ctx) && BN_sub(p1, k->p, BN_value_one()) &&
           BN_sub(q1, k->q, BN_value_one()) && BN_mul(product, p1, q1, ctx) &&
           BN_gcd(gcd, p1, q1, ctx) && BN_div(lcm, NULL, product, gcd, ctx) &&
           BN_mod_inverse(k->d, k->e, lcm, ctx) && BN_mod(k->dp, k->d, p1, ctx) &&
           BN_mod(k->dq, k->d, q1, ctx) && BN_mod_inverse(k->qinv, k->q, k->p, ctx);
}

/* A d that is too small, which chance will never bring about, is a failure. */
static bool make_numbers(int bits, struct numbers *k, BN_CTX *ctx)
{
    *k = (struct numbers){
        .n = BN_CTX_get(ctx),
        .e = BN_CTX_get(ctx),
        .d = secret(ctx),
        .p = secret(ctx),
        .q = secret(ctx),
        .dp = secret(ctx),
        .dq = secret(ctx),
        .qinv = secret(ctx),
    };
    return k->qinv && BN_set_word(k->e, EXPONENT) && find_primes(bits / 2, k, ctx) &&
           derive(k, ctx) && BN_num_bits(k->n) == bits && BN_num_bits(k->d) > bits / 2;
}

static bool make_key(const struct numbers *k, EVP_PKEY **out)
{
    const struct {
        const char *name;
        const BIGNUM *number;
    } parts[] = {
        {OSSL_PKEY_PARAM_RSA_N, k->n},          {OSSL_PKEY_PARAM_RSA_E, k->e},
        {OSSL_PKEY_PARAM_RSA_D, k->d},          {OSSL_PKEY_PARAM_RSA_FACTOR1, k->p},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, k->q},    {OSSL_PKEY_PARAM_RSA_EXPONENT1, k->dp},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, k->dq}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, k->qinv},
    };
    OSSL_PARAM_BLD *build __attribute__((cleanup(build_free_at))) = OSSL_PARAM_BLD_new();
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (!build || !OSSL_PARAM_BLD_push_BN(build, parts[i].name, parts[i].number))
            return false;
    OSSL_PARAM *params __attribute__((cleanup(params_free_at))) = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx __attribute__((cleanup(pkey_ctx_free_at))) =
        EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    return params && ctx && EVP_PKEY_fromdata_init(ctx) > 0 &&
           EVP_PKEY_fromdata(ctx, out, EVP_PKEY_KEYPAIR, params) > 0;
}

int rsa_key_new(int bits, EVP_PKEY **out, struct error *err)
{
    struct numbers numbers;
    BN_CTX *ctx __attribute__((cleanup(ctx_free_at))) = BN_CTX_secure_new();
    *out = NULL;
    if (!ctx)
        return x509_error(err, "generate a key");
    BN_CTX_start(ctx);
    bool made = make_numbers(bits, &numbers, ctx) && make_key(&numbers, out);
    BN_CTX_end(ctx);
    return made ? 0 : x509_error(err, "generate a key");
}
