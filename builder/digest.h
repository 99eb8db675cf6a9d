/* Digests of files and memory. */
#ifndef NB_BUILDER_DIGEST_H
#define NB_BUILDER_DIGEST_H

#include <stddef.h>

#include "builder/progress.h"
#include "common/attributes.h"
#include "common/error.h"

enum { DIGEST_HEX_MAX = 129 }; /* sha512 in hex, its NUL included */

/* The lower-case hex digest of the whole file, read from its beginning. `algorithm` is one that
 * OpenSSL knows: "sha256", "sha512". progress may be NULL; it counts bytes. */
int digest_fd(int fd, const char *algorithm, struct progress *progress,
              char hex[static DIGEST_HEX_MAX], struct error *err) NONNULL(2, 4, 5) MUST_CHECK;

/* The same of memory. */
int digest_memory(const void *bytes, size_t n, const char *algorithm,
                  char hex[static DIGEST_HEX_MAX], struct error *err) NONNULL(3, 4, 5) MUST_CHECK;

#endif
