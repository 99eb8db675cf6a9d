/* What the pki folder has of single nodes, for whoever hands it out. */
#ifndef NB_BUILDER_PKI_NODE_KEYS_H
#define NB_BUILDER_PKI_NODE_KEYS_H

#include "builder/cluster/cluster.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

struct pki_keys;

/* PEM texts, and who the certificate is for; they live as long as what they come from. */
struct node_keys {
    const struct buffer *ca, *cert, *key;
    const char *user; /* system:node:NAME */
};

/* Reads and judges the folder; writes nothing. *out belongs to the caller. */
int pki_keys_open(const struct cluster *cluster, const char *dir, struct pki_keys **out,
                  struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Those of a node; what `nodebake pki verify` would find wrong with them, or with their CA, is an
 * error. */
int pki_keys_of(const struct pki_keys *keys, const char *node, struct node_keys *out,
                struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Wipes and frees them; NULL is allowed. */
void pki_keys_free(struct pki_keys *keys);
void pki_keys_free_at(struct pki_keys **keys);
#define AUTO_PKI_KEYS __attribute__((cleanup(pki_keys_free_at)))

#endif
