/* Writes the on-image contract. Format: docs/contract.md. */
#ifndef NB_BUILDER_CONTRACT_H
#define NB_BUILDER_CONTRACT_H

#include "builder/plan/plan.h"
#include "common/buffer.h"

enum { CONTRACT_DEADLINE = 60 }; /* seconds that firstboot has, unless cluster.yaml says it */

/* A template that firstboot renders. */
struct contract_template {
    const char *path; /* of the rendered file */
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

/* Appends the contract of an image with these templates (in this order). */
int contract_write(const struct plan *plan, const struct contract_template *templates, size_t n,
                   struct buffer *out, struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

#endif
