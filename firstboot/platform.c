#include "firstboot/platform.h"

#include <stdio.h>
#include <string.h>

#include "common/buffer.h"
#include "firstboot/source-aws.h"

/* FIELD:VALUE of the firmware. One that is no token ("Not Specified") would be every machine's. */
static int identify(const struct contract_source *s, const struct dmi *dmi, struct stamp *out,
                    struct error *err)
{
    char field[32];
    const char *value = NULL;
    for (const char *names = s->identity; *names && !(value && *value);) {
        size_t n = strcspn(names, ",");
        snprintf(field, sizeof field, "%.*s", (int)n, names);
        value = dmi_field(dmi, field);
        names += names[n] ? n + 1 : n;
    }
    if (!value || !*value)
        return error_set(err,
                         "%s: %s: the firmware has none; nothing would tell this machine from a "
                         "clone",
                         s->name, s->identity);
    if (value_check(VALUE_TOKEN, value, err) < 0)
        return error_context(err, "%s: %s", s->name, field);
    snprintf(out->source, sizeof out->source, "%s", s->name);
    snprintf(out->identity, sizeof out->identity, "%s:%s", field, value);
    return 0;
}

const struct source *platform_choose(const struct contract *c, const struct dmi *dmi,
                                     struct stamp *stamp, struct error *err)
{
    char names[256];
    struct buffer list = BUFFER_FIXED(names);
    names[0] = '\0';
    source_aws_allow_v1(c->imds_v1);
    for (unsigned i = 0; i < c->source_count; i++) {
        const struct contract_source *allowed = &c->sources[i];
        const struct source *s = source_find(allowed->name);
        if (!s) {
            error_set(err, "%s: this firstboot has no source of that name", allowed->name);
            return NULL;
        }
        if (s->backed(dmi))
            return identify(allowed, dmi, stamp, err) < 0 ? NULL : s;
        buffer_printf(&list, "%s%s", i ? ", " : "", s->name);
    }
    error_set(err, "no source: the contract allows %s; this machine is '%s' '%s'",
              names[0] ? names : "none", dmi->sys_vendor, dmi->product_name);
    return NULL;
}

bool platform_is_stamped(const struct contract *c, const struct dmi *dmi, const struct stamp *stamp)
{
    for (unsigned i = 0; i < c->source_count; i++) {
        const struct source *s = source_find(c->sources[i].name);
        struct stamp now;
        struct error ignored = ERROR_INIT;
        if (s && s->backed(dmi) && identify(&c->sources[i], dmi, &now, &ignored) == 0 &&
            stamp_same(stamp, &now))
            return true;
    }
    return false;
}
