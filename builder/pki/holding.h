/* What the pki folder holds of one identity. */
#ifndef NB_BUILDER_HOLDING_H
#define NB_BUILDER_HOLDING_H

#include "builder/pki/chain.h"
#include "builder/pki/identity.h"

/* Pointers are NULL for what is not there. */
struct holding {
    struct buffer key_pem, cert_pem;
    EVP_PKEY *key;
    X509 *cert;
    struct certs between; /* behind cert in its file, up to below its CA */
    X509 *old;            /* of a CA: STEM-old.pem, which the one before it left */
    struct error fault;   /* why what is there cannot be used; empty: it can */
};

/* Reads the identity's files in the folder; a fault is noted, not an error. */
void holding_load(int folder, const struct identity *id, struct holding *out) NONNULL(2, 3);

/* Puts a key or a certificate, and its PEM text, in the place of what is there. Takes it over. */
int holding_set_key(struct holding *h, EVP_PKEY *key, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;
int holding_set_cert(struct holding *h, X509 *cert, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* Those between the certificate and its CA stand behind it in its PEM text. Keeps its own
 * references. */
int holding_set_chain(struct holding *h, X509 *cert, const struct certs *between, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Frees what the struct holds; secrets are wiped. */
void holding_free(struct holding *h) NONNULL(1);

#endif
