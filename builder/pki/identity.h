/* Who in a cluster has a key and a certificate: a table, filled in for one cluster. */
#ifndef NB_BUILDER_IDENTITY_H
#define NB_BUILDER_IDENTITY_H

#include "builder/cluster/cluster.h"
#include "builder/pki/x509.h"

/* One key and what is made of it: STEM-key.pem, STEM.pem and perhaps STEM.kubeconfig. */
struct identity {
    char *stem;
    struct subject subject;
    bool serves;  /* its certificate is also a server's */
    char *server; /* https://… of its kubeconfig; NULL: it has none */
};

/* identities[0] is the CA. */
struct identity_list {
    struct identity *items;
    size_t count, cap;
};

/* The identities of the cluster, their file names and certificate names checked. On -1 the list
 * is to be freed all the same. */
int identity_list_make(const struct cluster *cluster, struct identity_list *list, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Frees the items. */
void identity_list_free(struct identity_list *list);
#define AUTO_IDENTITIES __attribute__((cleanup(identity_list_free)))

#endif
