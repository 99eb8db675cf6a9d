/* Secrets of the pki folder, encrypted with the passphrase, in forms that openssl opens: a private
 * key as PKCS #8 under its own name, any other text as CMS under FILE.cms. */
#ifndef NB_BUILDER_SEAL_H
#define NB_BUILDER_SEAL_H

#include <stdbool.h>

#include "builder/pki/passphrase.h"
#include "common/buffer.h"

#define SEAL_SUFFIX ".cms"

enum seal_kind { SEAL_NONE, SEAL_KEY, SEAL_TEXT };

/* What a file of the folder is by its name, which is that of the plain file. */
enum seal_kind seal_kind_of(const char *name) NONNULL(1);

/* Does the PEM text of a key say that it is encrypted? */
bool seal_is_encrypted(const struct buffer *pem) NONNULL(1);

/* Appends the key of a plain PEM text, encrypted: PBES2 of PBKDF2 and AES-256-CBC. */
int seal_key(enum passphrase which, const struct buffer *pem, struct buffer *out, struct error *err)
    NONNULL(2, 3, 4) MUST_CHECK;

/* Appends the key as a plain PEM text. Takes what others encrypted, too. */
int unseal_key(enum passphrase which, const struct buffer *sealed, struct buffer *out,
               struct error *err) NONNULL(2, 3, 4) MUST_CHECK;

/* Appends the text as CMS EnvelopedData with the passphrase as its only recipient, in PEM. */
int seal_text(enum passphrase which, const struct buffer *text, struct buffer *out,
              struct error *err) NONNULL(2, 3, 4) MUST_CHECK;

/* Appends the text again. */
int unseal_text(enum passphrase which, const struct buffer *sealed, struct buffer *out,
                struct error *err) NONNULL(2, 3, 4) MUST_CHECK;

/* Sets the error of a file that the passphrase does not open; returns -1. */
int seal_refused(enum passphrase which, struct error *err) NONNULL(2);

#endif
