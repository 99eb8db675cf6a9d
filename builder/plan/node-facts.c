#include "builder/plan/node-facts.h"

#include <string.h>

/* All that are there count, in this order. */
static const struct node_fact ssh_keys = {
    .name = (char *)FACT_SSH_KEYS,
    .type = VALUE_SSHKEYS,
    .paths = (struct fact_path[]){{(char *)"gce", (char *)"instance/attributes/ssh-keys"},
                                  {(char *)"gce", (char *)"project/attributes/ssh-keys"},
                                  {(char *)"aws", (char *)"meta-data/public-keys/0/openssh-key"}},
    .path_count = 3,
};

static const struct node_fact bundle = {
    .name = (char *)FACT_IDENTITY,
    .type = VALUE_BUNDLE,
    .paths = (struct fact_path[]){{(char *)"gce", (char *)"instance/attributes/node-identity"},
                                  {(char *)"aws", (char *)"user-data#" FACT_IDENTITY}},
    .path_count = 2,
};

/* Which the API knows the node by where the kubelet asks AWS for it. */
static const struct node_fact cloud_name = {
    .name = (char *)FACT_CLOUD_NAME,
    .type = VALUE_NAME,
    .paths = (struct fact_path[]){{(char *)"aws", (char *)"meta-data/local-hostname"}},
    .path_count = 1,
};

static bool wants_keys(const struct plan_input *in)
{
    const struct access *access = &in->cluster->settings.access;
    return access->user && access->metadata;
}

enum { OWN_MAX = 3 };

/* Those that nodebake asks for itself. */
static size_t own_facts(const struct plan_input *in, const struct node_fact *facts[OWN_MAX])
{
    size_t n = 0;
    if (wants_keys(in))
        facts[n++] = &ssh_keys;
    if (in->cluster->identity == IDENTITY_METADATA)
        facts[n++] = &bundle;
    if (in->cluster->settings.cloud_provider == CLOUD_AWS)
        facts[n++] = &cloud_name;
    return n;
}

size_t node_fact_count(const struct plan_input *in)
{
    const struct node_fact *own[OWN_MAX];
    return in->profile->fact_count + in->cluster->settings.fact_count + own_facts(in, own);
}

const struct node_fact *node_fact_at(const struct plan_input *in, size_t i)
{
    const struct settings *settings = &in->cluster->settings;
    const struct node_fact *own[OWN_MAX];
    if (i < in->profile->fact_count)
        return &in->profile->facts[i];
    i -= in->profile->fact_count;
    if (i < settings->fact_count)
        return &settings->facts[i];
    own_facts(in, own);
    return own[i - settings->fact_count];
}

size_t node_fact_index(const struct plan_input *in, const char *name)
{
    size_t i = 0, n = node_fact_count(in);
    while (i < n && strcmp(node_fact_at(in, i)->name, name) != 0)
        i++;
    return i;
}

bool node_fact_asks(const struct plan_input *in, const struct fact_path *path)
{
    size_t i = 0;
    while (i < in->cluster->source_count && strcmp(in->cluster->sources[i], path->source) != 0)
        i++;
    return i < in->cluster->source_count;
}

const char *node_fact_file(const struct plan_input *in, size_t i)
{
    return i < in->profile->fact_count ? in->profile->file : in->cluster->file;
}

bool node_fact_reserved(const char *name)
{
    return strcmp(name, FACT_SSH_KEYS) == 0 || strcmp(name, FACT_IDENTITY) == 0 ||
           strcmp(name, FACT_CLOUD_NAME) == 0;
}
