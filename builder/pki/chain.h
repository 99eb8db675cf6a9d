/* A certificate, and those between it and the CA that is trusted. */
#ifndef NB_BUILDER_CHAIN_H
#define NB_BUILDER_CHAIN_H

#include "builder/pki/x509.h"

enum { CHAIN_MAX = 8 }; /* certificates in a file of the folder */

/* Certificates, each its own reference. */
struct certs {
    X509 **items;
    size_t count, cap;
};

/* Appends one more reference to the certificate. */
void certs_add(struct certs *certs, X509 *cert) NONNULL(1, 2);

/* Frees what the struct holds. */
void certs_free(struct certs *certs) NONNULL(1);
#define AUTO_CERTS __attribute__((cleanup(certs_free)))

/* Appends the PEM block at `at`, which begins one, to `block`; *next is what follows it. Any other
 * block than a certificate is an error. */
int chain_block(const char *at, struct buffer *block, const char **next, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Appends the certificates of a PEM text, which has at least one, at most `max`, and no other
 * blocks. */
int chain_parse(const struct buffer *pem, size_t max, struct certs *out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Reads a file of the folder: *cert is the first, `between` the others; each was issued by the one
 * behind it. */
int chain_load(const struct buffer *pem, X509 **cert, struct certs *between, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Did the issuer sign the certificate, and is its name the one that is in there? */
bool chain_signed(X509 *cert, X509 *issuer) NONNULL(1, 2);

/* Did the CA issue the certificate, directly or by way of those between (NULL: none), whatever the
 * time? The CA is trusted as it stands, also when it is an intermediate one. *why says why not. */
bool chain_issued(X509 *cert, const struct certs *between, X509 *ca, const char **why)
    NONNULL(1, 3, 4);

/* The same with all that a peer looks at, too: dates at `now`, strength of keys and signatures,
 * and what each CA on the way may issue for `usages` (USAGE_…). Those of `pool` that are needed are
 * appended to `between`, the certificate's issuer first. */
int chain_build(X509 *cert, const struct certs *pool, X509 *ca, unsigned usages, time_t now,
                struct certs *between, struct error *why) NONNULL(1, 2, 3, 6, 7) MUST_CHECK;

#endif
