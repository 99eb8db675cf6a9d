#include "builder/plan/node-facts.h"

#include <string.h>

/* All that are there count, in this order. */
static const struct node_fact ssh_keys = {
    .name = (char *)FACT_SSH_KEYS,
    .type = VALUE_SSHKEYS,
    .paths = (struct fact_path[]){{(char *)"gce", (char *)"instance/attributes/ssh-keys"},
                                  {(char *)"gce", (char *)"project/attributes/ssh-keys"}},
    .path_count = 2,
};

static bool wants_keys(const struct plan_input *in)
{
    const struct access *access = &in->cluster->settings.access;
    return access->user && access->metadata;
}

size_t node_fact_count(const struct plan_input *in)
{
    return in->profile->fact_count + wants_keys(in);
}

const struct node_fact *node_fact_at(const struct plan_input *in, size_t i)
{
    return i < in->profile->fact_count ? &in->profile->facts[i] : &ssh_keys;
}

size_t node_fact_index(const struct plan_input *in, const char *name)
{
    size_t i = 0, n = node_fact_count(in);
    while (i < n && strcmp(node_fact_at(in, i)->name, name) != 0)
        i++;
    return i;
}

bool node_fact_reserved(const char *name)
{
    return strcmp(name, FACT_SSH_KEYS) == 0;
}
