/* Who in a cluster has a key and a certificate: a table, filled in for one cluster. */
#ifndef NB_BUILDER_IDENTITY_H
#define NB_BUILDER_IDENTITY_H

#include "builder/cluster/cluster.h"
#include "builder/pki/x509.h"

/* One key and its certificate: STEM-key.pem and STEM.pem. */
struct identity {
    char *stem;
    struct subject subject;
    const struct pki_subject *asked; /* what the user wrote of the subject; the cluster's */
    bool closed;                     /* it may have no names beside those of the subject */
    size_t issuer;                   /* whose key signs it: an index of the list; a CA: its own */
};

/* The CAs stand first: items[0] is ca.pem. */
struct identity_list {
    struct identity *items;
    size_t count, cap, ca_count;
};

/* The identities of the cluster, their file names and certificate names checked. The list must not
 * outlive the cluster. On -1 it is to be freed all the same. */
int identity_list_make(const struct cluster *cluster, struct identity_list *list, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* The identity of that stem, or NULL. */
const struct identity *identity_find(const struct identity_list *list, const char *stem)
    NONNULL(1, 2);

/* Frees the items. */
void identity_list_free(struct identity_list *list);
#define AUTO_IDENTITIES __attribute__((cleanup(identity_list_free)))

#endif
