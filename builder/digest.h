/* Digests of files and memory. */
#ifndef NB_BUILDER_DIGEST_H
#define NB_BUILDER_DIGEST_H

#include <stdbool.h>
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

/* A digest of bytes that come piece by piece. */
struct digest;

/* Begins one; digest_free frees it. */
int digest_begin(const char *algorithm, struct digest **out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Adds n bytes. */
int digest_add(struct digest *digest, const void *bytes, size_t n, struct error *err)
    NONNULL(1, 4) MUST_CHECK;

/* The digest of all of them; it cannot go on afterwards. */
int digest_finish(struct digest *digest, char hex[static DIGEST_HEX_MAX], struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Frees it; NULL is allowed. */
void digest_free(struct digest *digest);

/* The SHA-256 of the file at a path. While the program runs, a file that kept its fingerprint is
 * read only once. */
int digest_path(const char *path, char hex[static DIGEST_HEX_MAX], struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* From now on digest_path remembers larger files in a folder for the next run, too, as digest_kept
 * does. */
void digest_keep_in(const char *folder, bool again) NONNULL(1);

/* The same, remembered in a folder (made when it is not there) for the next run; with `again` what
 * is remembered there is not trusted. */
int digest_kept(const char *folder, const char *path, bool again, char hex[static DIGEST_HEX_MAX],
                struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

#endif
