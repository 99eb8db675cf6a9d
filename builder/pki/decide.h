/* What is to be done about one certificate: pure, before anything is written. */
#ifndef NB_BUILDER_DECIDE_H
#define NB_BUILDER_DECIDE_H

#include "builder/pki/ca.h"

enum verdict {
    VERDICT_KEEP,
    VERDICT_ISSUE,   /* there is none */
    VERDICT_REISSUE, /* what is there does not fit any more */
    VERDICT_REFUSE,  /* what is there does not go together; only the user can tell what is right */
};

struct decision {
    enum verdict verdict;
    bool new_key;
    struct error why; /* of a refusal, the whole error */
};

/* By what certificates are judged. */
struct judge {
    const struct identity_list *ids;
    const struct holding *holdings;
    const struct ca *cas; /* ids->ca_count of them */
    time_t now;
    time_t until;   /* until then certificates have to be valid */
    bool elsewhere; /* a CA whose key is not there is no obstacle: another signs for it */
};

/* Decides about ids->items[i], which is no CA. */
struct decision decide(const struct judge *judge, size_t i) NONNULL(1);

#endif
