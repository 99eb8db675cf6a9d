/* The cluster's keys, certificates, kubeconfigs and secrets in one folder, named as in Kubernetes
 * The Hard Way: ca.pem, ca-key.pem, NODE.pem, NODE-key.pem, NODE.kubeconfig, kube-proxy.… */
#ifndef NB_BUILDER_PKI_H
#define NB_BUILDER_PKI_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/cluster/cluster.h"
#include "builder/texts.h"
#include "common/attributes.h"
#include "common/error.h"

struct pki_options {
    unsigned renew_before; /* hours: what ends sooner is issued anew */
    bool new_ca;           /* the CAs are replaced, and all that they signed */
    bool dry_run;          /* nothing is written */
};

enum pki_action { PKI_ISSUE, PKI_REISSUE, PKI_REPLACE, PKI_WRITE, PKI_REQUEST, PKI_IMPORT };

/* One thing that is done, and why. */
struct pki_step {
    enum pki_action action;
    bool new_key; /* the file's key is new, too */
    char *file, *why;
};

struct pki_report {
    struct pki_step *steps;
    size_t count, cap;
    unsigned written;   /* files */
    unsigned converted; /* files, encrypted or decrypted before */
};

/* Issues what is missing in the folder or does not fit any more: CAs, certificates, kubeconfigs,
 * the encryption configuration, the bootstrap token. All is decided before the first write, and
 * listed in the report. The folder is 0700, keys and what holds them are 0600 from their first
 * byte, each file is published atomically, a key before its certificate. What is there and right
 * stays as it is; a certificate without its key, and what a CA of the cluster did not issue, is an
 * error. A lock keeps a second run out. The report is to be freed on -1, too. */
int pki_issue(const struct cluster *cluster, const char *dir, const struct pki_options *options,
              struct pki_report *report, struct error *err) NONNULL(1, 2, 3, 4, 5) MUST_CHECK;

/* Writes NAME.csr, a request for a certificate, into the folder `out` (made when it is not there)
 * for each of the identities: without names, for those whose certificates pki_issue would issue. A
 * key that is not there is made, in the folder `dir`; nothing else in there changes. Each request
 * is a step of the report, which is to be freed on -1, too. */
int pki_csr(const struct cluster *cluster, const char *dir, const struct texts *names,
            const char *out, const struct pki_options *options, struct pki_report *report,
            struct error *err) NONNULL(1, 2, 3, 4, 5, 6, 7) MUST_CHECK;

/* Takes certificates that a CA elsewhere issued, and CAs' own, from PEM files into the folder. All
 * of them are checked before the first write: each belongs to a key of the folder, leads to its CA,
 * fits the cluster and is valid; with one that does not, none is taken. A CA's certificate that is
 * there is replaced with options->new_ca only. Each file written is a step of the report, which is
 * to be freed on -1, too. */
int pki_import(const struct cluster *cluster, const char *dir, const struct texts *files,
               const struct pki_options *options, struct pki_report *report, struct error *err)
    NONNULL(1, 2, 3, 4, 5, 6) MUST_CHECK;

/* Appends a step; the report owns `file`, `why` is copied. */
void pki_report_add(struct pki_report *report, enum pki_action action, bool new_key, char *file,
                    const char *why) NONNULL(1, 4, 5);

/* The word for what is done: "issue", "reissue", "replace", "write", "request", "import". */
const char *pki_action_word(enum pki_action action);

/* Frees what the struct holds. */
void pki_report_free(struct pki_report *report) NONNULL(1);
#define AUTO_PKI_REPORT __attribute__((cleanup(pki_report_free)))

/* Puts a new key first in encryption-config.yaml; *name, its name, belongs to the caller. With
 * `dry_run` nothing is written. */
int pki_rotate_encryption(const struct cluster *cluster, const char *dir, bool dry_run, char **name,
                          struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Appends what is wrong in the folder, a line each; none: all is well. Writes nothing. */
int pki_verify(const struct cluster *cluster, const char *dir, struct texts *faults,
               struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

#endif
