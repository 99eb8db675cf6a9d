/* RSA keys, made faster than by OpenSSL's own generator. */
#ifndef NB_BUILDER_RSA_H
#define NB_BUILDER_RSA_H

#include <openssl/types.h>

#include "common/attributes.h"
#include "common/error.h"

/* A new key of `bits` (even, 2048 or more) with the public exponent 65537. */
int rsa_key_new(int bits, EVP_PKEY **out, struct error *err) NONNULL(2, 3) MUST_CHECK;

#endif
