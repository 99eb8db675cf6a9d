/* Names that a node with an identity cannot have. */
#ifndef NB_BUILDER_PKI_NAMES_H
#define NB_BUILDER_PKI_NAMES_H

#include "common/attributes.h"
#include "common/error.h"

/* What a node's certificate is issued for, before the node's name. */
#define NODE_CN "system:node:"

/* Has the certificate room for the node's name, and are the node's files in the pki folder none of
 * those that a cluster has anyway? */
int pki_check_name(const char *name, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Would the node's files in the pki folder be files of the identity `stem`? */
int pki_check_files(const char *name, const char *stem, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
