/* The folder with the cluster's keys: its owner alone may read it, and every key in it. */
#ifndef NB_BUILDER_PKI_FOLDER_H
#define NB_BUILDER_PKI_FOLDER_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Opens the folder; when it is not there it is made, 0700, or without `make` *fd is -1. One that
 * belongs to somebody else, or that others can enter, is an error. */
int folder_open(const char *dir, bool make, int *fd, struct error *err) NONNULL(1, 3, 4) MUST_CHECK;

/* Appends the file's bytes and sets *present; a file that is not there, or a folder that is not
 * (fd -1), sets it to false. A file
 * that is not the caller's own, that others can write, or when `secret` read, is an error. A secret
 * that lies encrypted is decrypted; see seal.h. */
int folder_read(int fd, const char *name, bool secret, struct buffer *out, bool *present,
                struct error *err) NONNULL(2, 4, 5, 6) MUST_CHECK;

/* Publishes a file, 0600 from its first byte when `secret`, else 0644. With a passphrase, secrets
 * are encrypted. */
int folder_write(int fd, const char *name, bool secret, const struct buffer *bytes,
                 struct error *err) NONNULL(2, 4, 5) MUST_CHECK;

/* What stands behind the name of the file when it is written: SEAL_SUFFIX or "". */
const char *folder_suffix(const char *name) NONNULL(1);

/* What is written for the file: appends the bytes, encrypted when they are a secret and there is a
 * passphrase, and sets *file, the name that they get, which belongs to the caller. */
int folder_form(const char *name, bool secret, const struct buffer *bytes, char **file,
                struct buffer *out, struct error *err) NONNULL(1, 3, 4, 5, 6) MUST_CHECK;

/* The same without a look at the passphrase: bytes as they lie there. */
int folder_read_as_is(int fd, const char *name, bool secret, struct buffer *out, bool *present,
                      struct error *err) NONNULL(2, 4, 5, 6) MUST_CHECK;
int folder_write_as_is(int fd, const char *name, bool secret, const struct buffer *bytes,
                       struct error *err) NONNULL(2, 4, 5) MUST_CHECK;

/* Removes what a run that was killed left half written; the caller holds the lock. */
int folder_clean(int fd, struct error *err) NONNULL(2) MUST_CHECK;

#endif
