/* What cluster.yaml says of keys and certificates. Zeroed, every value is its default. */
#ifndef NB_BUILDER_PKI_SETTINGS_H
#define NB_BUILDER_PKI_SETTINGS_H

#include <stdbool.h>

#include "builder/texts.h"
#include "common/attributes.h"

enum {
    VALIDITY_HOURS = 8760,
    TOKEN_VALIDITY_HOURS = 720,
    CA_VALIDITY_HOURS = 87600,
    VALIDITY_HOURS_MAX = 100 * 8766
};

/* One certificate for all that the API server is and asks, or one for each. */
enum pki_layout { PKI_SHARED, PKI_SEPARATE };

enum key_type { KEY_RSA_2048, KEY_RSA_3072, KEY_RSA_4096, KEY_ECDSA_P256 };

/* Parts of the certificates' subjects; NULL: not given. Strings are on the heap. */
struct pki_subject {
    char *country, *state, *locality, *organization, *unit;
};

struct pki_settings {
    enum pki_layout layout;
    bool own_cas; /* etcd and the front proxy have a CA each */
    enum key_type key;
    unsigned validity, ca_validity; /* hours; 0: not given */
    unsigned token_validity;        /* hours of a bootstrap token; 0: not given */
    struct pki_subject subject;
    struct texts names; /* further host names and IPv4 addresses of the API servers */
};

/* How long the certificates of CAs, or all others, are valid, in hours. */
unsigned pki_validity(const struct pki_settings *settings, bool ca) NONNULL(1);

/* Frees what the struct holds. */
void pki_settings_free(struct pki_settings *settings) NONNULL(1);

#endif
