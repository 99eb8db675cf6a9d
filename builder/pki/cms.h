/* The part of CMS (RFC 5652) that holds a text for one recipient, a password: EnvelopedData of
 * AES-256-CBC, whose key is wrapped (RFC 3211) with one that PBKDF2 derives. */
#ifndef NB_BUILDER_CMS_H
#define NB_BUILDER_CMS_H

#include "builder/pki/derive.h"

enum { CMS_IV = 16, CMS_WRAPPED = 48 };

struct cms_text {
    struct derivation how;
    unsigned char wrap_iv[CMS_IV], wrapped[CMS_WRAPPED]; /* the key of the content */
    unsigned char iv[CMS_IV];
    struct buffer bytes; /* the content, encrypted */
};

/* Reads a PEM text; -1 without an error: it is none of this kind. `out` is to be freed anyway. */
int cms_parse(const struct buffer *pem, struct cms_text *out) NONNULL(1, 2) MUST_CHECK;

/* Appends it as PEM; -1: OpenSSL refused. */
int cms_print(const struct cms_text *text, struct buffer *out) NONNULL(1, 2) MUST_CHECK;

void cms_text_free(struct cms_text *text) NONNULL(1);
#define AUTO_CMS_TEXT __attribute__((cleanup(cms_text_free)))

#endif
