/* Does a kubeconfig mean what it should? Its bytes may be others than nodebake's. */
#ifndef NB_BUILDER_KUBECONFIG_CHECK_H
#define NB_BUILDER_KUBECONFIG_CHECK_H

#include <openssl/types.h>

#include "builder/pki/chain.h"
#include "builder/pki/kubeconfig.h"
#include "builder/texts.h"

/* What it should mean. Of what is NULL nothing is said. */
struct kubeconfig_wanted {
    const char *file;            /* its name */
    const char *server, *source; /* source: who says so, "cluster.yaml" */
    X509 *ca, *cert;             /* ca.pem, STEM.pem */
    const struct certs *between; /* behind cert in STEM.pem */
    EVP_PKEY *key;               /* STEM-key.pem */
    const char *stem;
    const char *token; /* of a user without a certificate */
    int folder;        /* where files are that it refers to; -1: it must not, an image lacks them */
};

/* Appends what is wrong with the text, a line "FILE: …" or "FILE:LINE: …" each; none shows a
 * secret. */
void kubeconfig_check(const struct buffer *text, const struct kubeconfig_wanted *wanted,
                      struct texts *faults) NONNULL(1, 2, 3);

#endif
