/* Which answers of a metadata service are final, and which are not yet: one table. */
#ifndef NB_FIRSTBOOT_ANSWERS_H
#define NB_FIRSTBOOT_ANSWERS_H

#include <stdbool.h>

/* What was asked for. */
enum question {
    ASKED_GCE,          /* a value of GCE's service */
    ASKED_AWS_TOKEN,    /* a token of IMDSv2 */
    ASKED_AWS_TOKEN_V1, /* the same where the contract allows IMDSv1 too */
    ASKED_AWS,          /* a value of AWS's service */
};

/* What to make of the answer. */
enum answer {
    ANSWER_STOP,  /* no try will be better: first boot ends */
    ANSWER_AGAIN, /* not yet: ask again until the deadline */
    ANSWER_VALUE, /* its body is what was asked for */
    ANSWER_NONE,  /* there is none, and there will be none */
    ANSWER_TOKEN, /* ask for a new token, then again */
};

/* `genuine`: the answer has the mark of the service that was asked (GCE's flavor; AWS has none:
 * true). `served`: that service has answered 200 before, so it is ready. */
enum answer answer_of(enum question asked, unsigned status, bool genuine, bool served);

#endif
