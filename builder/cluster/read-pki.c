/* The key `pki` of cluster.yaml. */
#include <stdlib.h>
#include <string.h>

#include "builder/cluster/read-forms.h"
#include "builder/cluster/read-settings.h"
#include "builder/duration.h"

/* The bounds that RFC 5280 gives to the parts of a name, in characters. */
enum { STATE_MAX = 128, ORGANIZATION_MAX = 64 };

static int form_country(const char *text, struct error *err)
{
    if (strlen(text) == 2 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2)
        return 0;
    return error_set(err, "'%.64s' is not a country; write its two letters, such as US", text);
}

static int form_bounded(const char *text, size_t max, struct error *err)
{
    size_t n = 0;
    for (const char *p = text; *p; p++)
        n += (*p & 0xc0) != 0x80; /* UTF-8: bytes that begin a character */
    if (n <= max)
        return 0;
    return error_set(err, "%zu characters; a certificate's name has room for %zu here", n, max);
}

static int form_state(const char *text, struct error *err)
{
    return form_bounded(text, STATE_MAX, err);
}

static int form_organization(const char *text, struct error *err)
{
    if (strncmp(text, "system:", 7) == 0)
        return error_set(err, "'%.64s' is a group of Kubernetes' own; choose another", text);
    return form_bounded(text, ORGANIZATION_MAX, err);
}

static int form_unit_name(const char *text, struct error *err)
{
    return form_bounded(text, ORGANIZATION_MAX, err);
}

#define PART_READER(name, check)                                                                   \
    static int name(struct yaml_ref ref, void *dest, struct error *err)                            \
    {                                                                                              \
        return read_form(ref, check, dest, err);                                                   \
    }

PART_READER(country, form_country)
PART_READER(state, form_state)
PART_READER(organization, form_organization)
PART_READER(unit, form_unit_name)

static int subject(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"country", country, offsetof(struct pki_subject, country), false},
        {"state", state, offsetof(struct pki_subject, state), false},
        {"locality", state, offsetof(struct pki_subject, locality), false},
        {"organization", organization, offsetof(struct pki_subject, organization), false},
        {"unit", unit, offsetof(struct pki_subject, unit), false},
    };
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), dest, err);
}

static int layout(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"shared", "separate", NULL};
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    *(enum pki_layout *)dest = choice ? PKI_SEPARATE : PKI_SHARED;
    return 0;
}

static int cas(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"one", "each", NULL};
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    *(bool *)dest = choice == 1;
    return 0;
}

static int key(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"rsa-2048", "rsa-3072", "rsa-4096", "ecdsa-p256", NULL};
    static const enum key_type values[] = {KEY_RSA_2048, KEY_RSA_3072, KEY_RSA_4096,
                                           KEY_ECDSA_P256};
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    *(enum key_type *)dest = values[choice];
    return 0;
}

static int validity(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    struct error cause = ERROR_INIT;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (duration_hours(text, 1, VALIDITY_HOURS_MAX, dest, &cause) < 0)
        return yaml_error(ref, err, "%s", cause.text);
    return 0;
}

static int name(struct yaml_ref ref, void *dest, struct error *err)
{
    return append_form(ref, form_host, dest, err);
}

static int names(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, SETTINGS_LIST_MAX, name, dest, err);
}

int read_pki(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"layout", layout, offsetof(struct pki_settings, layout), false},
        {"cas", cas, offsetof(struct pki_settings, own_cas), false},
        {"key", key, offsetof(struct pki_settings, key), false},
        {"validity", validity, offsetof(struct pki_settings, validity), false},
        {"caValidity", validity, offsetof(struct pki_settings, ca_validity), false},
        {"tokenValidity", validity, offsetof(struct pki_settings, token_validity), false},
        {"subject", subject, offsetof(struct pki_settings, subject), false},
        {"names", names, offsetof(struct pki_settings, names), false},
    };
    struct pki_settings *pki = &((struct spec *)dest)->pki;
    if (yaml_read_map(ref, fields, ARRAY_LEN(fields), pki, err) < 0)
        return -1;
    if (pki->own_cas && pki->layout == PKI_SHARED)
        return yaml_error(ref, err, "`cas: each` needs `layout: separate`");
    unsigned own = pki_validity(pki, false), ca = pki_validity(pki, true);
    if (own > ca)
        return yaml_error(ref, err, "`validity` is %uh, longer than `caValidity` with %uh", own,
                          ca);
    return 0;
}
