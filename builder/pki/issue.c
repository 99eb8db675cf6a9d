#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/pki/x509.h"

enum { HOUR = 3600, EARLY_SECONDS = 300 };

static void bignum_free_at(BIGNUM **bn)
{
    BN_free(*bn);
}

static void names_free_at(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
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

/* The order in which `openssl x509` users expect the parts. C is a PrintableString by its
 * definition, all others are UTF8Strings. */
static bool set_name(X509 *cert, const struct subject *s)
{
    const struct {
        int nid;
        const char *value;
    } parts[] = {
        {NID_countryName, s->country},       {NID_stateOrProvinceName, s->state},
        {NID_localityName, s->locality},     {NID_organizationName, s->o},
        {NID_organizationalUnitName, s->ou}, {NID_commonName, s->cn},
    };
    X509_NAME *name = X509_get_subject_name(cert);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        int type = parts[i].nid == NID_countryName ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
        if (parts[i].value &&
            !X509_NAME_add_entry_by_NID(name, parts[i].nid, type,
                                        (const unsigned char *)parts[i].value, -1, -1, 0))
            return false;
    }
    return true;
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

static bool add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, ctx, nid, value);
    bool ok = ext && X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    return ok;
}

static bool push_san(GENERAL_NAMES *names, const struct san *san)
{
    struct in_addr ip;
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = san->is_ip ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    bool ok = name && value;
    if (ok && san->is_ip)
        ok = inet_pton(AF_INET, san->value, &ip) == 1 && ASN1_STRING_set(value, &ip, sizeof ip);
    else if (ok)
        ok = ASN1_STRING_set(value, san->value, -1);
    if (ok)
        GENERAL_NAME_set0_value(name, san->is_ip ? GEN_IPADD : GEN_DNS, value);
    else
        ASN1_STRING_free(value);
    if (ok && sk_GENERAL_NAME_push(names, name))
        return true;
    GENERAL_NAME_free(name);
    return false;
}

/* Built part by part: a text for OpenSSL's parser would give commas in names a meaning. */
static bool add_sans(X509 *cert, const struct subject *s)
{
    GENERAL_NAMES *names __attribute__((cleanup(names_free_at))) = GENERAL_NAMES_new();
    for (size_t i = 0; i < s->san_count; i++)
        if (!names || !push_san(names, &s->sans[i]))
            return false;
    return s->san_count == 0 ||
           X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND) == 1;
}

/* A CA of the user's may lack the identifier that this one repeats. */
static bool add_authority(X509 *cert, X509V3_CTX *ctx, const X509 *issuer)
{
    return X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) < 0 ||
           add_extension(cert, ctx, NID_authority_key_identifier, "keyid:always");
}

/* Only an RSA key can take part in a key exchange by itself. */
static const char *key_usage(const X509 *cert, const struct subject *s)
{
    if (s->ca)
        return "critical,keyCertSign,cRLSign";
    return EVP_PKEY_is_a(X509_get0_pubkey(cert), "RSA")
               ? "critical,digitalSignature,keyEncipherment"
               : "critical,digitalSignature";
}

static bool add_usages(X509 *cert, X509V3_CTX *ctx, unsigned usages)
{
    static const char *const texts[] = {[USAGE_SERVER] = "serverAuth",
                                        [USAGE_CLIENT] = "clientAuth",
                                        [USAGE_SERVER | USAGE_CLIENT] = "serverAuth,clientAuth"};
    return !usages || add_extension(cert, ctx, NID_ext_key_usage, texts[usages]);
}

static bool add_extensions(X509 *cert, X509 *issuer, const struct subject *s)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    return add_extension(cert, &ctx, NID_basic_constraints,
                         s->ca ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           add_extension(cert, &ctx, NID_key_usage, key_usage(cert, s)) &&
           add_usages(cert, &ctx, s->usages) &&
           add_extension(cert, &ctx, NID_subject_key_identifier, "hash") &&
           add_authority(cert, &ctx, issuer) && add_sans(cert, s);
}

/* Edwards curves, which a CA of the user's may have, come with their digest. */
static const EVP_MD *digest_for(const EVP_PKEY *key)
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
        !set_name(cert, subject) || !X509_set_issuer_name(cert, X509_get_subject_name(by)) ||
        !set_times(cert, subject->hours, issuer ? by : NULL, now) || !X509_set_pubkey(cert, key) ||
        !add_extensions(cert, by, subject) || !X509_sign(cert, signer, digest_for(signer)))
        return x509_error(err, "issue a certificate");
    *out = steal(cert);
    return 0;
}
