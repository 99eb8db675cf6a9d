#include "builder/plan/profile-facts.h"

#include <string.h>

#include "builder/cluster/node-fact.h"
#include "builder/heap.h"
#include "builder/plan/profile.h"
#include "common/contract.h"

static int append_fact(struct yaml_ref ref, void *dest, struct error *err)
{
    struct profile *profile = dest;
    struct node_fact *fact = APPEND(profile->facts, profile->fact_count, profile->fact_cap);
    if (node_fact_read(ref, fact, err) < 0)
        return -1;
    if (profile_fact(profile, fact->name) != fact)
        return yaml_error(ref, err, "the fact %s stands here twice", fact->name);
    if (strcmp(fact->name, CONTRACT_NODE_FACT) == 0 && fact->type != VALUE_LABEL)
        return yaml_error(ref, err, "the type of " CONTRACT_NODE_FACT " is label, not %s",
                          value_type_name(fact->type));
    return 0;
}

int profile_read_facts(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, PROFILE_LIST_MAX, append_fact, dest, err);
}
