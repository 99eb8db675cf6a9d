/* The pki folder while it is looked at and worked on. */
#ifndef NB_BUILDER_PKI_WORK_H
#define NB_BUILDER_PKI_WORK_H

#include "builder/pki/outputs.h"

struct pki_work {
    const struct cluster *cluster;
    struct identity_list ids;
    struct holding *holdings;   /* one for each identity */
    struct decision *decisions; /* one for each identity; a CA's is not used */
    struct ca *cas;             /* one for each CA */
    struct output_list outputs;
    struct outputs_input input;
    int folder, lock; /* folder -1: there is none */
    time_t now;
    bool elsewhere; /* nothing is issued here: CAs need no keys */
};

/* Lists the identities and opens the folder: with `write` it is made and locked. */
int work_open(const struct cluster *cluster, const char *dir, bool write, struct pki_work *w,
              struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Reads all that is there; faults are noted. */
void work_load(struct pki_work *w) NONNULL(1);

/* Opens the folder, which must be there, and reads all that is in it. */
int work_look(const struct cluster *cluster, const char *dir, struct pki_work *w, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Puts new CAs in their place where a run that was killed did not; with `dry_run` that is an error.
 * Counts the files written. */
int work_finish_swaps(const struct pki_work *w, bool dry_run, unsigned *written, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Decides about all certificates but the CAs', which must be prepared. */
void work_decide(struct pki_work *w, time_t until) NONNULL(1);

/* Closes the folder; wipes and frees what the struct holds. */
void work_close(struct pki_work *w) NONNULL(1);
#define AUTO_WORK __attribute__((cleanup(work_close)))

#endif
