/* The passphrase of the pki folder: one for the whole run, in memory that is neither swapped nor
 * dumped, and wiped at the end. */
#ifndef NB_BUILDER_PASSPHRASE_H
#define NB_BUILDER_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/error.h"

/* Bytes; openssl's own -passin takes no longer line. */
enum { PASSPHRASE_MIN = 8, PASSPHRASE_MAX = 1022 };

/* PASSPHRASE_NEXT: the one that a change leads to. */
enum passphrase { PASSPHRASE_NOW, PASSPHRASE_NEXT, PASSPHRASES };

/* Takes the first line of a file, which must be the caller's own, no link, and closed to others. No
 * error shows a part of it. */
int passphrase_read_file(enum passphrase which, const char *path, struct error *err)
    NONNULL(2, 3) MUST_CHECK;

/* Takes the first line that the descriptor gives, and not a byte more. A terminal is an error. */
int passphrase_read_fd(enum passphrase which, int fd, struct error *err) NONNULL(3) MUST_CHECK;

/* Was one taken? */
bool passphrase_given(enum passphrase which);

/* The bytes, with a NUL behind them; valid until it is forgotten. */
const char *passphrase_text(enum passphrase which, size_t *len) NONNULL(2);

/* PASSPHRASE_NEXT becomes PASSPHRASE_NOW. */
void passphrase_advance(void);

/* Wipes all of them. */
void passphrase_forget(void);

/* Zeroed memory that is neither swapped, as far as the limits of the caller go, nor dumped; never
 * NULL. It stays until the program ends. */
void *secret_memory(size_t size) __attribute__((returns_nonnull));

#endif
