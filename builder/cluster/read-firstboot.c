/* The keys of cluster.yaml that say what happens at first boot. */
#include <string.h>

#include "builder/cluster/read-settings.h"
#include "builder/cluster/spec.h"
#include "builder/duration.h"
#include "builder/heap.h"
#include "common/contract.h"

static int read_fact(struct yaml_ref ref, void *dest, struct error *err)
{
    struct settings *s = &((struct spec *)dest)->settings;
    struct node_fact *fact = APPEND(s->facts, s->fact_count, s->fact_cap);
    if (node_fact_read(ref, fact, err) < 0)
        return -1;
    for (const struct node_fact *f = s->facts; f < fact; f++)
        if (f->name && strcmp(f->name, fact->name) == 0)
            return yaml_error(ref, err, "the fact %s stands on line %u already", fact->name,
                              f->line);
    return 0;
}

int read_facts(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, CONTRACT_FACTS_MAX, read_fact, dest, err);
}

static int read_deadline(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    struct error cause = ERROR_INIT;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (duration_seconds(text, FIRSTBOOT_DEADLINE_LEAST, CONTRACT_DEADLINE_MAX, dest, &cause) < 0)
        return yaml_error(ref, err, "%s", cause.text);
    return 0;
}

int read_firstboot(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"deadline", read_deadline, offsetof(struct settings, deadline), false},
        {"imdsV1", yaml_read_bool, offsetof(struct settings, imds_v1), false},
    };
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), &((struct spec *)dest)->settings, err);
}

int read_metadata_for_pods(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_bool(ref, &((struct spec *)dest)->settings.metadata_for_pods, err);
}
