/* The token by which a kubelet without a certificate asks for one. */
#ifndef NB_BUILDER_BOOTSTRAP_H
#define NB_BUILDER_BOOTSTRAP_H

#include <stddef.h>
#include <time.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

enum { TOKEN_ID = 6, TOKEN_SECRET = 16 };

struct bootstrap_token {
    char id[TOKEN_ID + 1], secret[TOKEN_SECRET + 1]; /* of a-z and 0-9 */
    time_t ends;                                     /* 0: it has no end */
};

/* A new token, with an end, or 0. */
int bootstrap_token_new(struct bootstrap_token *out, time_t ends, struct error *err)
    NONNULL(1, 3) MUST_CHECK;

/* Reads the token's Secret as nodebake writes it; the error shows no part of it. */
int bootstrap_token_parse(const char *text, size_t len, struct bootstrap_token *out,
                          struct error *err) NONNULL(1, 3, 4) MUST_CHECK;

/* Appends the Secret that makes the cluster know the token. */
void bootstrap_token_print(const struct bootstrap_token *token, struct buffer *out) NONNULL(1, 2);

#endif
