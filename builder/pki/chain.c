#include "builder/pki/chain.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

/* OpenSSL's level of 112 bits: RSA from 2048 bits, no SHA-1. */
enum { LEVEL = 2 };

static const char BEGIN[] = "-----BEGIN ", DASHES[] = "-----", CERTIFICATE[] = "CERTIFICATE-----";
static const char END[] = "-----END CERTIFICATE-----";

void certs_add(struct certs *certs, X509 *cert)
{
    if (X509_up_ref(cert))
        *APPEND(certs->items, certs->count, certs->cap) = cert;
}

void certs_free(struct certs *certs)
{
    for (size_t i = 0; i < certs->count; i++)
        X509_free(certs->items[i]);
    free(certs->items);
    *certs = (struct certs){0};
}

int chain_block(const char *at, struct buffer *block, const char **next, struct error *err)
{
    const char *label = at + strlen(BEGIN), *end = strstr(label, END);
    if (strncmp(label, CERTIFICATE, strlen(CERTIFICATE)) != 0) {
        const char *dashes = strstr(label, DASHES);
        size_t len = dashes ? (size_t)(dashes - label) : 0;
        return error_set(err, "holds a block '%.*s'; it must hold certificates only",
                         len < 40 ? (int)len : 40, label);
    }
    if (!end)
        return error_set(err, "a certificate has no end");
    *next = end + strlen(END);
    buffer_add(block, at, (size_t)(*next - at));
    buffer_puts(block, "\n");
    return 0;
}

int chain_parse(const struct buffer *pem, size_t max, struct certs *out, struct error *err)
{
    size_t n = 0;
    if (!pem->len || strlen(pem->data) != pem->len)
        return error_set(err, "not a PEM text");
    for (const char *at = pem->data; (at = strstr(at, BEGIN)); n++) {
        struct buffer block AUTO_BUFFER = buffer_heap();
        X509 *cert AUTO_CERT = NULL;
        if (n == max)
            return error_set(err, "holds more than %zu certificates", max);
        if (chain_block(at, &block, &at, err) < 0 || x509_cert_parse(&block, &cert, err) < 0)
            return -1;
        certs_add(out, cert);
    }
    return n ? 0 : error_set(err, "holds no certificate in PEM form");
}

bool chain_signed(X509 *cert, X509 *issuer)
{
    const X509_NAME *by = X509_get_issuer_name(cert);
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    return key && X509_NAME_cmp(by, X509_get_subject_name(issuer)) == 0 &&
           X509_verify(cert, key) == 1;
}

int chain_load(const struct buffer *pem, X509 **cert, struct certs *between, struct error *err)
{
    struct certs all AUTO_CERTS = {0};
    if (chain_parse(pem, CHAIN_MAX, &all, err) < 0)
        return -1;
    for (size_t i = 1; i < all.count; i++)
        if (!chain_signed(all.items[i - 1], all.items[i]))
            return error_set(err,
                             "its certificate %zu did not issue the one before it: the file must "
                             "hold its own certificate first, then each one's issuer",
                             i + 1);
    for (size_t i = 1; i < all.count; i++)
        certs_add(between, all.items[i]);
    *cert = all.items[0];
    all.items[0] = NULL;
    return 0;
}

/* What OpenSSL needs to look at one certificate. */
struct verifier {
    X509_STORE *store;
    X509_STORE_CTX *ctx;
    STACK_OF(X509) * pool;
};

static void verifier_free_at(struct verifier *v)
{
    X509_STORE_CTX_free(v->ctx);
    X509_STORE_free(v->store);
    sk_X509_free(v->pool);
}
#define AUTO_VERIFIER __attribute__((cleanup(verifier_free_at)))

static bool verifier_start(struct verifier *v, X509 *cert, const struct certs *pool, X509 *ca,
                           unsigned long flags)
{
    *v = (struct verifier){X509_STORE_new(), X509_STORE_CTX_new(), sk_X509_new_null()};
    if (!v->store || !v->ctx || !v->pool || !X509_STORE_add_cert(v->store, ca))
        return false;
    for (size_t i = 0; pool && i < pool->count; i++)
        if (!sk_X509_push(v->pool, pool->items[i]))
            return false;
    if (!X509_STORE_CTX_init(v->ctx, v->store, cert, v->pool))
        return false;
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(v->ctx),
                                X509_V_FLAG_PARTIAL_CHAIN | flags);
    return true;
}

bool chain_issued(X509 *cert, const struct certs *between, X509 *ca, const char **why)
{
    struct verifier v AUTO_VERIFIER = {0};
    *why = "OpenSSL cannot verify";
    if (!verifier_start(&v, cert, between, ca, X509_V_FLAG_NO_CHECK_TIME))
        return false;
    if (X509_verify_cert(v.ctx) == 1)
        return true;
    *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(v.ctx));
    return false;
}

/* A failure at a CA is none of the certificate itself. */
static int verify_error(X509_STORE_CTX *ctx, struct error *why)
{
    char name[200] = "";
    X509 *at = X509_STORE_CTX_get_current_cert(ctx);
    const char *text = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    if (X509_STORE_CTX_get_error_depth(ctx) == 0 || !at)
        return error_set(why, "%s", text);
    X509_NAME_oneline(X509_get_subject_name(at), name, sizeof name);
    return error_set(why, "%s: its issuer %s", text, name);
}

static int build_for(X509 *cert, const struct certs *pool, X509 *ca, int purpose, time_t now,
                     struct certs *between, struct error *why)
{
    struct verifier v AUTO_VERIFIER = {0};
    if (!verifier_start(&v, cert, pool, ca, 0))
        return error_set(why, "OpenSSL cannot verify");
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(v.ctx);
    X509_VERIFY_PARAM_set_time(param, now);
    X509_VERIFY_PARAM_set_auth_level(param, LEVEL);
    X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX - 2);
    X509_STORE_CTX_set_purpose(v.ctx, purpose);
    if (X509_verify_cert(v.ctx) != 1)
        return verify_error(v.ctx, why);
    STACK_OF(X509) *found = X509_STORE_CTX_get0_chain(v.ctx);
    certs_free(between);
    for (int i = 1; i + 1 < sk_X509_num(found); i++)
        certs_add(between, sk_X509_value(found, i));
    return 0;
}

int chain_build(X509 *cert, const struct certs *pool, X509 *ca, unsigned usages, time_t now,
                struct certs *between, struct error *why)
{
    if (usages & USAGE_SERVER &&
        build_for(cert, pool, ca, X509_PURPOSE_SSL_SERVER, now, between, why) < 0)
        return -1;
    if (usages & USAGE_CLIENT || !usages)
        return build_for(cert, pool, ca, X509_PURPOSE_SSL_CLIENT, now, between, why);
    return 0;
}
