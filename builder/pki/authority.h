/* Certificates of authorities that users give in PEM files, to be trusted. */
#ifndef NB_BUILDER_AUTHORITY_H
#define NB_BUILDER_AUTHORITY_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/attributes.h"
#include "common/error.h"

enum { AUTHORITIES_FILE_MAX = 1 << 20 };

struct authority {
    char *pem;     /* its one block, with a newline at the end */
    uint32_t hash; /* of its subject, as `openssl rehash` names links */
};

struct authorities {
    struct authority *items;
    size_t count, cap;
};

/* Appends the certificates of a PEM text, each once. An error: a text without any, another kind of
 * block in it (a key), one that is damaged, has expired, or is not valid yet at the time. */
int authorities_parse(const char *text, size_t len, time_t now, struct authorities *out,
                      struct error *err) NONNULL(1, 4, 5) MUST_CHECK;

/* The same of a file, which errors name. */
int authorities_read(const char *path, time_t now, struct authorities *out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Frees what the list holds. */
void authorities_free(struct authorities *list) NONNULL(1);
#define AUTO_AUTHORITIES __attribute__((cleanup(authorities_free)))

#endif
