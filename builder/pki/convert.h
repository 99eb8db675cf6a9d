/* Is the pki folder encrypted? Told by its content only: all secrets in it are, or none. */
#ifndef NB_BUILDER_CONVERT_H
#define NB_BUILDER_CONVERT_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/error.h"

/* Refuses a folder that is encrypted without a passphrase, or with another one; with a passphrase,
 * one whose secrets, or some of them, are not. What cannot be read is not its affair. */
int sealing_check(int folder, struct error *err) NONNULL(2) MUST_CHECK;

enum conversion { CONVERT_ENCRYPT, CONVERT_DECRYPT, CONVERT_CHANGE };

/* Writes all secrets of the folder anew: encrypted, plain (the passphrase is forgotten then), or
 * encrypted with the new passphrase, which is the passphrase then. All are read and checked before
 * the first write; each is published atomically, and what it replaces removed after that, so that a
 * run that was killed is completed by the same call. Counts the files. No folder: nothing to do.
 * With `dry_run` nothing is written. */
int pki_convert(const char *dir, enum conversion how, bool dry_run, unsigned *count,
                struct error *err) NONNULL(1, 4, 5) MUST_CHECK;

#endif
