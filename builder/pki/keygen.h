/* Many keys at once, on all processors. */
#ifndef NB_BUILDER_KEYGEN_H
#define NB_BUILDER_KEYGEN_H

#include "builder/pki/x509.h"

struct keygen;

/* Begins to make `count` keys. Signals stay with the calling thread. */
struct keygen *keygen_start(enum key_type type, size_t count);

/* Waits for the next key, and hands it over. */
int keygen_take(struct keygen *keygen, EVP_PKEY **out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Ends it, and frees the keys that nobody took. */
void keygen_stop(struct keygen *keygen) NONNULL(1);

#endif
