#include "builder/cluster/pki-settings.h"

#include <stdlib.h>

unsigned pki_validity(const struct pki_settings *settings, bool ca)
{
    if (ca)
        return settings->ca_validity ? settings->ca_validity : CA_VALIDITY_HOURS;
    return settings->validity ? settings->validity : VALIDITY_HOURS;
}

void pki_settings_free(struct pki_settings *settings)
{
    struct pki_subject *s = &settings->subject;
    free(s->country);
    free(s->state);
    free(s->locality);
    free(s->organization);
    free(s->unit);
    texts_free(&settings->names);
}
