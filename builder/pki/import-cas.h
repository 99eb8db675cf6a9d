/* Which of the certificates that are imported become the cluster's CAs. */
#ifndef NB_BUILDER_IMPORT_CAS_H
#define NB_BUILDER_IMPORT_CAS_H

#include "builder/pki/import-files.h"
#include "builder/pki/work.h"

/* What is done about one CA. */
struct import_ca {
    struct import_cert *from; /* NULL: it stays as it is */
    bool replaces;            /* another certificate is there */
    bool own_key;             /* its key is the one in the folder */
};

/* Decides about all CAs of the cluster, and prepares w->cas by it; w is loaded. Of CAs in files
 * with CAs only: the one of the key in the folder, or the one that signed no other of them; among
 * several CAs of the cluster, the one that issued what is imported for it. One that is there stays
 * unless `new_ca`. */
int import_cas_choose(struct pki_work *w, const struct import_files *files, bool new_ca,
                      struct import_ca *out, struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Publishes CA i; what it replaces becomes STEM-old.pem, and a key that is not its own
 * STEM-old-key.pem. Counts the files written. */
int import_ca_write(const struct pki_work *w, size_t i, const struct import_ca *ca,
                    unsigned *written, struct error *err) NONNULL(1, 3, 4, 5) MUST_CHECK;

/* The identity whose key in the folder is the certificate's: its index, or ids.count. Of several,
 * one that the certificate fits. */
size_t import_holder(const struct pki_work *w, X509 *cert) NONNULL(1, 2);

#endif
