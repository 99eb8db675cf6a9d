/* What is asked of a profile. */
#include <string.h>

#include "builder/plan/profile.h"

bool profile_tested(const struct profile *profile, unsigned minor)
{
    for (size_t i = 0; i < profile->tested_count; i++)
        if (profile->tested[i] == minor)
            return true;
    return false;
}

const struct role *profile_role(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->role_count; i++)
        if (profile->roles[i].name && strcmp(profile->roles[i].name, name) == 0)
            return &profile->roles[i];
    return NULL;
}

bool role_has_binary(const struct role *role, const char *name)
{
    for (size_t i = 0; i < role->binary_count; i++)
        if (strcmp(role->binaries[i].name, name) == 0)
            return true;
    return false;
}

const struct node_fact *profile_fact(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->fact_count; i++)
        if (profile->facts[i].name && strcmp(profile->facts[i].name, name) == 0)
            return &profile->facts[i];
    return NULL;
}
