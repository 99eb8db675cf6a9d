#include "builder/plan/pki-when.h"

#include <string.h>

static const char *const words[] = {
    [WHEN_SHARED] = "shared",
    [WHEN_SEPARATE] = "separate",
    [WHEN_ONE_CA] = "one-ca",
    [WHEN_OWN_CAS] = "own-cas",
};

int pki_when_read(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    for (int i = WHEN_SHARED; i <= WHEN_OWN_CAS; i++)
        if (strcmp(text, words[i]) == 0) {
            *(enum pki_when *)dest = (enum pki_when)i;
            return 0;
        }
    return yaml_error(ref, err,
                      "'%.64s' is not a layout of keys: shared, separate, one-ca or own-cas", text);
}

bool pki_when_holds(enum pki_when when, const struct pki_settings *pki)
{
    bool separate = pki->layout == PKI_SEPARATE;
    switch (when) {
    case WHEN_ALWAYS:
        return true;
    case WHEN_SHARED:
        return !separate;
    case WHEN_SEPARATE:
        return separate;
    case WHEN_ONE_CA:
        return !pki->own_cas;
    case WHEN_OWN_CAS:
        return pki->own_cas;
    }
    return false;
}
