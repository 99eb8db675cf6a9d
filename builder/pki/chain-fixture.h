/* For tests: root -> middle -> leaf, and a stranger, on elliptic curves. */
#ifndef NB_BUILDER_CHAIN_FIXTURE_H
#define NB_BUILDER_CHAIN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "builder/heap.h"
#include "builder/pki/chain.h"

static const time_t now = 1800000000, day = 86400;

enum { ROOT, MIDDLE, LEAF, STRANGER, COUNT };
static EVP_PKEY *keys[COUNT];
static X509 *made[COUNT];

static const struct subject subjects[COUNT] = {
    [ROOT] = {.cn = (char *)"root", .ca = true, .hours = 87600},
    [MIDDLE] = {.cn = (char *)"middle", .ca = true, .hours = 8760},
    [LEAF] = {.cn = (char *)"leaf", .usages = USAGE_CLIENT, .hours = 8760},
    [STRANGER] = {.cn = (char *)"stranger", .ca = true, .hours = 8760},
};

static inline X509 *issue(const struct subject *s, EVP_PKEY *key, size_t by, time_t at)
{
    struct error err = ERROR_INIT;
    X509 *cert = NULL;
    const struct issuer issuer = {made[by], keys[by]};
    if (x509_issue(s, key, made[by] ? &issuer : NULL, at, &cert, &err) < 0)
        fail_msg("%s", err.text);
    return cert;
}

static inline int group_setup(void **state)
{
    (void)state;
    static const size_t by[COUNT] = {ROOT, ROOT, MIDDLE, STRANGER};
    for (size_t i = 0; i < COUNT; i++) {
        keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
        made[i] = issue(&subjects[i], keys[i], by[i], now - 10 * day);
    }
    return 0;
}

static inline int group_teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        X509_free(made[i]);
        EVP_PKEY_free(keys[i]);
    }
    return 0;
}

/* Appends the certificate to a PEM text. */
static inline void print_cert(X509 *cert, struct buffer *out)
{
    struct error err = ERROR_INIT;
    if (x509_cert_print(cert, out, &err) < 0)
        fail_msg("%s", err.text);
}

#endif
