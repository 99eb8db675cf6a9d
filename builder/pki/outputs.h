/* What is made of certificates and keys, beside them: kubeconfigs, the encryption configuration,
 * the bootstrap token. */
#ifndef NB_BUILDER_OUTPUTS_H
#define NB_BUILDER_OUTPUTS_H

#include "builder/pki/bootstrap.h"
#include "builder/pki/decide.h"
#include "builder/pki/encryption.h"
#include "builder/texts.h"

enum output_kind { OUTPUT_KUBECONFIG, OUTPUT_ENCRYPTION, OUTPUT_TOKEN, OUTPUT_BOOTSTRAP };

/* One secret file of the folder. */
struct output {
    enum output_kind kind;
    char *file;
    size_t identity;    /* of a kubeconfig */
    char *server;       /* of a kubeconfig: https://… */
    bool here;          /* a kubeconfig that is used where it lies: it may refer to files there */
    struct buffer old;  /* what is there */
    bool there, write;  /* write: it is to be written (again) */
    struct error why;   /* why it is written */
    struct error fault; /* why what is there cannot be used; empty: it can */
};

struct output_list {
    struct output *items;
    size_t count, cap;
    struct encryption encryption;
    struct bootstrap_token token;
};

/* What outputs are made of. */
struct outputs_input {
    const struct cluster *cluster;
    const struct identity_list *ids;
    const struct holding *holdings;
    time_t now; /* of the run */
};

/* Lists the files, and reads what is there; faults are noted. */
void outputs_load(const struct outputs_input *in, int folder, struct output_list *out)
    NONNULL(1, 3);

/* Decides which are to be written, by what is decided about certificates (NULL: all are kept) and
 * about the CA. A bootstrap token has to last until that time, or for a third
 * of its validity. What is missing is made in memory. */
int outputs_decide(const struct outputs_input *in, const struct decision *decisions, bool new_ca,
                   time_t lasts, int folder, struct output_list *list, struct error *err)
    NONNULL(1, 6, 7) MUST_CHECK;

/* Appends what is wrong with a kubeconfig that is there, a line "FILE: …" or "FILE:LINE: …" each.
 * What it should hold and nobody could read is passed over; folder: where it lies. */
void output_faults(const struct outputs_input *in, const struct output_list *list,
                   const struct output *output, int folder, struct texts *faults)
    NONNULL(1, 2, 3, 5);

/* Why the bootstrap token has to be another, or NULL: it may stay. It need not last longer than a
 * third of its validity. */
const char *output_token_fault(const struct outputs_input *in, const struct output_list *list,
                               time_t lasts) NONNULL(1, 2);

/* Appends what the file has to hold; all that it is made of is there. */
void output_print(const struct outputs_input *in, const struct output_list *list,
                  const struct output *output, struct buffer *out) NONNULL(1, 2, 3, 4);

/* Wipes and frees what the struct holds. */
void outputs_free(struct output_list *list) NONNULL(1);

#endif
