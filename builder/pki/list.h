/* What is in the pki folder, for people and programs to read. */
#ifndef NB_BUILDER_PKI_LIST_H
#define NB_BUILDER_PKI_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "builder/cluster/cluster.h"
#include "common/attributes.h"
#include "common/error.h"

/* One identity. */
struct pki_row {
    char *name;
    char *subject, *issuer; /* NULL: there is no certificate */
    struct texts between;   /* subjects of the CAs behind it in its file */
    struct texts sans;
    time_t ends;        /* the first of it and those between */
    long days_left;     /* whole days; negative: it is over */
    struct texts files; /* that are there */
    char *fault;        /* why what is there cannot be read, or NULL */
};

struct pki_rows {
    struct pki_row *items;
    size_t count, cap;
    struct texts others; /* files without a certificate */
};

/* Lists the identities of the cluster, whether they have a certificate or not. */
int pki_list(const struct cluster *cluster, const char *dir, struct pki_rows *out,
             struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Frees what the struct holds. */
void pki_rows_free(struct pki_rows *rows) NONNULL(1);
#define AUTO_PKI_ROWS __attribute__((cleanup(pki_rows_free)))

#endif
