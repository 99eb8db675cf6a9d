/* Keys that a passphrase gives (PBKDF2). That takes long, and is done once for all files that share
 * its parameters. */
#ifndef NB_BUILDER_DERIVE_H
#define NB_BUILDER_DERIVE_H

#include <openssl/x509.h>

#include "builder/pki/passphrase.h"
#include "common/buffer.h"

enum {
    DERIVED_KEY = 32, /* bytes: AES-256 */
    SALT_MAX = 64,
    SALT_OWN = 16,
    ROUNDS_OWN = 600000,  /* of HMAC-SHA-256 */
    ROUNDS_MAX = 10000000 /* in files of others */
};

/* What a derived key is used for; each has a salt of its own. */
enum seal_use { SEAL_FOR_KEYS, SEAL_FOR_TEXTS };

struct derivation {
    unsigned char salt[SALT_MAX];
    size_t salt_len;
    int rounds;
    int prf; /* NID */
};

/* Reads the parameters of PBKDF2; -1 without an error: another derivation, or out of bounds. */
int derivation_read(const X509_ALGOR *algorithm, struct derivation *out) NONNULL(1, 2) MUST_CHECK;

/* The parameters for what is written: those of files that the passphrase has opened, or new ones.
 */
int derivation_own(enum passphrase which, enum seal_use use, struct derivation *out,
                   struct error *err) NONNULL(3, 4) MUST_CHECK;

/* The key, in memory of its own kind; valid until the next call. */
int derive(enum passphrase which, enum seal_use use, const struct derivation *how,
           const unsigned char **key, struct error *err) NONNULL(3, 4, 5) MUST_CHECK;

/* Wipes all derived keys. */
void derive_forget(void);

/* Encrypts or decrypts with AES-256-CBC, and appends; -1 without an error: the padding is wrong. */
int derive_cbc(bool encrypt, const unsigned char *key, const unsigned char *iv, const void *bytes,
               size_t n, struct buffer *out) NONNULL(2, 3, 4, 6) MUST_CHECK;

#endif
