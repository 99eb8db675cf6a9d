#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "builder/heap.h"
#include "builder/pki/extensions.h"

enum { HOUR = 3600, EARLY_SECONDS = 300 };

static void bignum_free_at(BIGNUM **bn)
{
    BN_free(*bn);
}

/* 128 random bits; never 0, which RFC 5280 does not allow. */
static bool set_serial(X509 *cert)
{
    BIGNUM *bn __attribute__((cleanup(bignum_free_at))) = BN_new();
    if (!bn)
        return false;
    do {
        if (!BN_rand(bn, 128, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY))
            return false;
    } while (BN_is_zero(bn));
    return BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)) != NULL;
}

static bool set_times(X509 *cert, unsigned hours, const X509 *issuer, time_t now)
{
    time_t begin = now - EARLY_SECONDS;
    time_t end = begin + (time_t)hours * HOUR;
    if (!X509_time_adj_ex(X509_getm_notBefore(cert), 0, 0, &begin) ||
        !X509_time_adj_ex(X509_getm_notAfter(cert), 0, 0, &end))
        return false;
    const ASN1_TIME *last = issuer ? X509_get0_notAfter(issuer) : NULL;
    if (last && ASN1_TIME_compare(X509_get0_notAfter(cert), last) > 0)
        return X509_set1_notAfter(cert, last);
    return true;
}

/* A CA of the user's may lack the identifier that this one repeats. */
static bool add_authority(STACK_OF(X509_EXTENSION) * *list, X509V3_CTX *ctx, const X509 *issuer)
{
    return X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) < 0 ||
           extension_add(list, ctx, NID_authority_key_identifier, "keyid:always");
}

static bool add_list(X509 *cert, const STACK_OF(X509_EXTENSION) * list)
{
    for (int i = 0; i < sk_X509_EXTENSION_num(list); i++)
        if (!X509_add_ext(cert, sk_X509_EXTENSION_value(list, i), -1))
            return false;
    return true;
}

/* In two steps: the authority's identifier is read from a certificate that is its own issuer. */
static bool add_extensions(X509 *cert, X509 *issuer, const struct subject *s)
{
    STACK_OF(X509_EXTENSION) *first AUTO_EXTENSIONS = NULL, *rest AUTO_EXTENSIONS = NULL;
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    return subject_usages(s, X509_get0_pubkey(cert), &ctx, &first) &&
           extension_add(&first, &ctx, NID_subject_key_identifier, "hash") &&
           add_list(cert, first) && add_authority(&rest, &ctx, issuer) && subject_sans(s, &rest) &&
           add_list(cert, rest);
}

const EVP_MD *x509_digest(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448") ? NULL : EVP_sha256();
}

int x509_issue(const struct subject *subject, EVP_PKEY *key, const struct issuer *issuer,
               time_t now, X509 **out, struct error *err)
{
    X509 *cert AUTO_CERT = X509_new();
    X509 *by = issuer ? issuer->cert : cert;
    EVP_PKEY *signer = issuer ? issuer->key : key;
    if (!cert || !X509_set_version(cert, X509_VERSION_3) || !set_serial(cert) ||
        !subject_name(subject, X509_get_subject_name(cert)) ||
        !X509_set_issuer_name(cert, X509_get_subject_name(by)) ||
        !set_times(cert, subject->hours, issuer ? by : NULL, now) || !X509_set_pubkey(cert, key) ||
        !add_extensions(cert, by, subject) || !X509_sign(cert, signer, x509_digest(signer)))
        return x509_error(err, "issue a certificate");
    *out = steal(cert);
    return 0;
}
