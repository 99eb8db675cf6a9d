/* What a certificate, or a request for one, says of its holder. */
#ifndef NB_BUILDER_EXTENSIONS_H
#define NB_BUILDER_EXTENSIONS_H

#include <openssl/x509v3.h>

#include "builder/pki/x509.h"

/* Appends the parts of the subject's name. */
bool subject_name(const struct subject *s, X509_NAME *name) NONNULL(1, 2);

/* Appends an extension, as OpenSSL's configuration files write its value. */
bool extension_add(STACK_OF(X509_EXTENSION) * *list, X509V3_CTX *ctx, int nid, const char *value)
    NONNULL(1, 2, 4);

/* Appends basic constraints, and what the key may be used for. */
bool subject_usages(const struct subject *s, const EVP_PKEY *key, X509V3_CTX *ctx,
                    STACK_OF(X509_EXTENSION) * *list) NONNULL(1, 2, 3, 4);

/* Appends names and addresses, if there are any. */
bool subject_sans(const struct subject *s, STACK_OF(X509_EXTENSION) * *list) NONNULL(1, 2);

void extensions_free_at(STACK_OF(X509_EXTENSION) * *list);
#define AUTO_EXTENSIONS __attribute__((cleanup(extensions_free_at)))

#endif
