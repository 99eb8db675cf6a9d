/* Who signs: the CAs of a cluster, from the folder or made anew. */
#ifndef NB_BUILDER_CA_H
#define NB_BUILDER_CA_H

#include "builder/pki/holding.h"

enum ca_state {
    CA_KEPT,
    CA_ABSENT,   /* there is none, and none may be made */
    CA_RENEWED,  /* a new certificate for the key that is there */
    CA_NEW,      /* there was none */
    CA_REPLACED, /* another one was there */
};

struct ca {
    enum ca_state state;
    X509 *cert;    /* NULL: CA_ABSENT */
    EVP_PKEY *key; /* NULL: it can sign nothing */
};

struct ca_options {
    time_t now;
    enum key_type key;
    bool make;    /* make what is missing */
    bool replace; /* make another one, whatever is there */
};

/* What the CA will be. Nothing is written: a new one exists in memory until all is decided. An
 * error: what is there cannot be used. */
int ca_prepare(const struct identity *id, const struct holding *h, const struct ca_options *options,
               struct ca *out, struct error *err) NONNULL(1, 2, 3, 4, 5) MUST_CHECK;

/* Frees what the struct holds. */
void ca_free(struct ca *ca) NONNULL(1);

#endif
