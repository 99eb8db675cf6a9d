/* Is what the folder holds what it should be? Errors name the files and what to do. */
#ifndef NB_BUILDER_PKI_CHECK_H
#define NB_BUILDER_PKI_CHECK_H

#include "builder/pki/identity.h"

/* Does the certificate STEM.pem belong to the key STEM-key.pem? */
int check_pair(const char *stem, X509 *cert, EVP_PKEY *key, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* May ca.pem sign certificates, at the time? */
int check_ca(X509 *ca, time_t now, struct error *err) NONNULL(1, 3) MUST_CHECK;

/* Is the certificate one for the identity, issued by the CA, and valid at the time? More names
 * than needed are fine. */
int check_cert(const struct identity *id, X509 *cert, X509 *ca, time_t now, struct error *err)
    NONNULL(1, 2, 3, 5) MUST_CHECK;

#endif
