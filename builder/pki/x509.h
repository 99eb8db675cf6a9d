/* Keys and certificates, as PEM texts and in OpenSSL's memory. */
#ifndef NB_BUILDER_X509_H
#define NB_BUILDER_X509_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "builder/cluster/pki-settings.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

enum { PEM_MAX = 64 * 1024 }; /* bytes of a key or certificate file */

/* A subject alternative name: a DNS name or an IPv4 address. */
struct san {
    bool is_ip;
    char *value;
};

/* What a certificate is good for, beside signing others. */
enum { USAGE_SERVER = 1, USAGE_CLIENT = 2 };

/* What a certificate says of its holder; parts of the name that are NULL are left out. */
struct subject {
    char *cn, *o, *ou, *country, *state, *locality;
    struct san *sans;
    size_t san_count, san_cap;
    bool ca, last_ca; /* last_ca: it may sign no other CA */
    unsigned usages;  /* USAGE_…, none of a CA */
    unsigned hours;   /* how long it is valid */
};

/* Who signs; NULL in its place: the key itself. */
struct issuer {
    X509 *cert;
    EVP_PKEY *key;
};

/* A new key. */
int x509_key_new(enum key_type type, EVP_PKEY **out, struct error *err) NONNULL(2, 3) MUST_CHECK;

/* Reads the one private key of a PEM text. A passphrase is never asked for. */
int x509_key_parse(const struct buffer *pem, EVP_PKEY **out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Appends the key as PEM (PKCS #8). */
int x509_key_print(EVP_PKEY *key, struct buffer *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Reads the one certificate of a PEM text. */
int x509_cert_parse(const struct buffer *pem, X509 **out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Appends the certificate as PEM. */
int x509_cert_print(X509 *cert, struct buffer *out, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* Issues a certificate for the key, valid from five minutes before `now` (seconds since the
 * epoch), but no longer than its issuer's. */
int x509_issue(const struct subject *subject, EVP_PKEY *key, const struct issuer *issuer,
               time_t now, X509 **out, struct error *err) NONNULL(1, 2, 5, 6) MUST_CHECK;

/* The digest to sign with; NULL: that of the key itself (Edwards curves, which a CA of the user's
 * may have). */
const EVP_MD *x509_digest(const EVP_PKEY *key) NONNULL(1);

/* Appends a request (PKCS #10) for such a certificate, signed by the key, as PEM. */
int x509_request(const struct subject *subject, EVP_PKEY *key, struct buffer *out,
                 struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Sets the error to `what` and OpenSSL's reason; returns -1. */
int x509_error(struct error *err, const char *what) NONNULL(1, 2);

void x509_key_free_at(EVP_PKEY **key);
void x509_cert_free_at(X509 **cert);
#define AUTO_KEY  __attribute__((cleanup(x509_key_free_at)))
#define AUTO_CERT __attribute__((cleanup(x509_cert_free_at)))

#endif
