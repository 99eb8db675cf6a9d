/* Certificates that are to be imported, from PEM files: all of them valid, CAs that may sign, no
 * private keys. */
#ifndef NB_BUILDER_IMPORT_FILES_H
#define NB_BUILDER_IMPORT_FILES_H

#include "builder/pki/chain.h"
#include "builder/texts.h"

/* Of a file: bytes, certificates. */
enum { IMPORT_FILE_MAX = 1 << 20, IMPORT_CERTS_MAX = 100 };

struct import_cert {
    X509 *cert;
    const char *file; /* the caller's */
    char *name;       /* its subject, to be shown */
    bool ca;
    bool alone; /* a CA from a file with CAs only: it may become one of the cluster's */
    bool used;
};

struct import_files {
    struct import_cert *items;
    size_t count, cap;
    struct certs cas; /* those of items that are CAs */
};

/* Reads the files; a CA's certificate that stands in several counts once. The list must not
 * outlive the paths. An error names the file; the list is to be freed all the same. */
int import_read(const struct texts *paths, time_t now, struct import_files *out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* The same for the text of one file. */
int import_parse(const char *file, const struct buffer *text, time_t now, struct import_files *out,
                 struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Has each certificate that signed another one the right to? */
int import_check_signers(const struct import_files *files, struct error *err)
    NONNULL(1, 2) MUST_CHECK;

/* Marks the certificate, and those above it that signed it, as used. */
void import_use(struct import_files *files, X509 *cert) NONNULL(1, 2);

/* Frees what the struct holds. */
void import_files_free(struct import_files *files) NONNULL(1);
#define AUTO_IMPORT_FILES __attribute__((cleanup(import_files_free)))

#endif
