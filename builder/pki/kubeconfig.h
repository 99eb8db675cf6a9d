/* Kubeconfig files: one cluster, one user, one context, everything embedded unless files are named.
 */
#ifndef NB_BUILDER_KUBECONFIG_H
#define NB_BUILDER_KUBECONFIG_H

#include "common/attributes.h"
#include "common/buffer.h"

/* What a kubeconfig says; the PEM texts are embedded as they are. */
struct kubeconfig {
    const char *cluster, *server, *user;
    const struct buffer *ca, *cert, *key;
    const char *token;                /* instead of cert and key, or NULL */
    const char *cert_file, *key_file; /* named instead of what they hold; NULL: embedded */
};

/* Appends the text as `kubectl config` writes it; it holds the private key, or names its file. */
void kubeconfig_print(const struct kubeconfig *config, struct buffer *out) NONNULL(1, 2);

/* Appends the bytes in base64. */
void base64_print(const void *bytes, size_t n, struct buffer *out) NONNULL(1, 3);

/* Appends the bytes that n characters of base64 stand for, whose lines may be broken; -1, and
 * nothing is appended, when they are something else. */
int base64_read(const char *text, size_t n, struct buffer *out) NONNULL(1, 3) MUST_CHECK;

#endif
