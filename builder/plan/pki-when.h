/* In which layouts of the pki folder a row of a profile counts. */
#ifndef NB_BUILDER_PKI_WHEN_H
#define NB_BUILDER_PKI_WHEN_H

#include <stdbool.h>

#include "builder/cluster/pki-settings.h"
#include "builder/yaml/yaml.h"

enum pki_when { WHEN_ALWAYS, WHEN_SHARED, WHEN_SEPARATE, WHEN_ONE_CA, WHEN_OWN_CAS };

/* Destination enum pki_when: shared, separate, one-ca or own-cas. */
yaml_reader pki_when_read;

/* Does a row with this condition count for the cluster? */
bool pki_when_holds(enum pki_when when, const struct pki_settings *pki) NONNULL(2);

#endif
