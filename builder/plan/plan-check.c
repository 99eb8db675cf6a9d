/* What is checked before an image is laid out. */
#include <stdio.h>
#include <string.h>

#include "builder/plan/facts.h"
#include "builder/plan/plan.h"

int plan_check_identity(const struct cluster *cluster, const struct profile *profile,
                        struct error *err)
{
    char known[64] = "";
    struct buffer list = BUFFER_FIXED(known);
    if (profile->identities & 1U << cluster->identity)
        return 0;
    for (unsigned i = 0; i < IDENTITY_MODES; i++)
        if (profile->identities & 1U << i)
            buffer_printf(&list, "%s`%s`", list.len ? " or " : "", identity_words[i]);
    return error_set(err, "%s: profile %s does not lay out `identity: %s`; take %s", cluster->file,
                     profile->name, identity_words[cluster->identity], known);
}

int plan_check_versions(const struct cluster *cluster, const struct profile *profile,
                        const struct release *release, struct error *err)
{
    unsigned major = 0, minor = 0;
    if (sscanf(cluster->kubernetes, "%u.%u", &major, &minor) != 2 || major != 1 ||
        minor < profile->minor_from || minor > profile->minor_to)
        return error_set(err, "%s:%u: profile %s lays out Kubernetes 1.%u to 1.%u, not %s",
                         cluster->file, cluster->kubernetes_line, profile->name,
                         profile->minor_from, profile->minor_to, cluster->kubernetes);
    if (plan_check_identity(cluster, profile, err) < 0)
        return -1;
    if (strcmp(release->kubernetes, cluster->kubernetes) != 0)
        return error_set(err, "%s:%u: kubernetes is %s, but the release file %s is for %s",
                         cluster->file, cluster->kubernetes_line, cluster->kubernetes,
                         release->file, release->kubernetes);
    return 0;
}

int plan_check_names(const struct profile *profile, struct error *err)
{
    const char *name = NULL;
    for (size_t i = 0; i < profile->fact_count && !name; i++)
        if (facts_builder_has(profile->facts[i].name))
            name = profile->facts[i].name;
    for (size_t i = 0; i < profile->value_count && !name; i++)
        if (facts_builder_has(profile->values[i].name))
            name = profile->values[i].name;
    if (!name)
        return 0;
    return error_set(err, "%s: the fact %s is one that nodebake itself supplies; name it otherwise",
                     profile->file, name);
}
