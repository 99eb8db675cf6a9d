/* encryption-config.yaml: how the API servers encrypt secrets in etcd. */
#ifndef NB_BUILDER_ENCRYPTION_H
#define NB_BUILDER_ENCRYPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

enum { ENCRYPTION_KEYS_MAX = 64 };

/* A key of 32 bytes. */
struct encryption_key {
    char *name, *secret; /* secret: base64 */
};

/* The first key encrypts; all of them decrypt. */
struct encryption {
    struct encryption_key *keys;
    size_t count, cap;
    const char *kind; /* of the form that was read; "" of a new one */
};

/* The name of the form that the Kubernetes version (X.Y.Z) takes. */
const char *encryption_kind(const char *kubernetes) NONNULL(1);

/* Reads a file as nodebake writes it; the error shows no key. */
int encryption_parse(const char *text, size_t len, struct encryption *out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Puts a new key first: keyN, N one more than that of any other. */
int encryption_rotate(struct encryption *e, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Appends the text for the Kubernetes version. */
void encryption_print(const struct encryption *e, const char *kubernetes, struct buffer *out)
    NONNULL(1, 2, 3);

/* Wipes and frees what the struct holds. */
void encryption_free(struct encryption *e) NONNULL(1);
#define AUTO_ENCRYPTION __attribute__((cleanup(encryption_free)))

#endif
