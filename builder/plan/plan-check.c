/* What is checked before an image is laid out. */
#include <stdio.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/plan/facts.h"
#include "builder/plan/node-facts.h"
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

/* A user's fact may not hide one of the profile's or of nodebake's own. */
static int check_facts(const struct plan_input *in, struct error *err)
{
    size_t n = in->profile->fact_count + in->cluster->settings.fact_count;
    for (size_t i = 0; i < n; i++) {
        const struct node_fact *fact = node_fact_at(in, i);
        const char *whose = facts_builder_has(fact->name)          ? "nodebake itself"
                            : node_fact_index(in, fact->name) != i ? "the profile"
                                                                   : NULL;
        if (whose)
            return error_set(err, "%s:%u: the fact %s is one that %s supplies; name it otherwise",
                             node_fact_file(in, i), fact->line, fact->name, whose);
    }
    return 0;
}

static int check_names(const struct profile *profile, struct error *err)
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

/* The fact of the machine that the text is, or NULL. */
static const struct node_fact *fact_of(const struct plan_input *in, const char *text)
{
    size_t len = strlen(text);
    if (len < 3 || text[0] != '@' || text[len - 1] != '@')
        return NULL;
    char *name AUTO_FREE = heap_printf("%.*s", (int)(len - 2), text + 1);
    size_t i = node_fact_index(in, name);
    return i < node_fact_count(in) ? node_fact_at(in, i) : NULL;
}

static int check_labels(const struct plan_input *in, struct error *err)
{
    const struct settings *s = &in->cluster->settings;
    for (size_t i = 0; i < s->node_label_count; i++) {
        const struct node_fact *fact = fact_of(in, s->node_labels[i].value);
        if (!fact || fact->type == VALUE_LABEL || fact->type == VALUE_NAME ||
            fact->type == VALUE_IPV4)
            continue;
        return error_set(err,
                         "%s: nodeLabels: %s: the fact %s is a %s, which can be no label's value; "
                         "take one of the type label, name or ipv4",
                         in->cluster->file, s->node_labels[i].key, fact->name,
                         value_type_name(fact->type));
    }
    return 0;
}

int plan_check_input(const struct plan_input *in, struct error *err)
{
    return check_facts(in, err) < 0 || check_names(in->profile, err) < 0 ||
                   check_labels(in, err) < 0
               ? -1
               : 0;
}
