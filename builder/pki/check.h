/* Is what the folder holds what it should be? Errors name the files and what to do; a `why` is a
 * reason to issue a certificate anew. */
#ifndef NB_BUILDER_PKI_CHECK_H
#define NB_BUILDER_PKI_CHECK_H

#include "builder/pki/identity.h"

/* Is the time from a year before this nodebake's release to 30 years after it? */
int check_clock(time_t now, struct error *err) NONNULL(2) MUST_CHECK;

/* Does the certificate STEM.pem belong to the key STEM-key.pem? */
int check_pair(const char *stem, X509 *cert, EVP_PKEY *key, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* May STEM.pem sign certificates, at the time? */
int check_ca(const char *stem, X509 *ca, time_t now, struct error *err) NONNULL(1, 2, 4) MUST_CHECK;

/* Has STEM.pem begun at the time? */
int check_begun(const char *stem, X509 *cert, time_t now, struct error *err)
    NONNULL(1, 2, 4) MUST_CHECK;

/* Is the certificate valid longer than `now`, and than `until` unless it ends with its CA? */
int check_lasts(X509 *cert, X509 *ca, time_t now, time_t until, struct error *why)
    NONNULL(1, 2, 5) MUST_CHECK;

/* Is it one for the identity: name, usages, names and addresses? Without `whole`, parts of the name
 * that mean nothing to Kubernetes are not looked at. */
int check_fit(const struct identity *id, X509 *cert, bool whole, struct error *why)
    NONNULL(1, 2, 4) MUST_CHECK;

#endif
