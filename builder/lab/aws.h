/* What AWS's instance metadata service (version 2) knows of a node. */
#ifndef NB_BUILDER_LAB_AWS_H
#define NB_BUILDER_LAB_AWS_H

#include <stdbool.h>

#include "builder/lab/gce.h"

/* A request below /latest/; headers that are absent are NULL. */
struct aws_request {
    const char *method, *path;
    const char *token; /* X-aws-ec2-metadata-token */
    const char *ttl;   /* X-aws-ec2-metadata-token-ttl-seconds */
    bool forwarded;    /* with X-Forwarded-For: a proxy has passed it on */
};

/* Answers: the HTTP status, with the token, the value or a line of explanation appended to `out`
 * (GCE_ANSWER_MAX bytes are enough). A token is good until the process ends. */
unsigned aws_answer(const struct gce *lab, const struct node *node,
                    const struct aws_request *request, struct buffer *out) NONNULL(1, 2, 3, 4);

#endif
