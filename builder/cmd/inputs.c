#include "builder/cmd/inputs.h"

#include <stdlib.h>

#include "builder/heap.h"

/* ${XDG_CACHE_HOME:-~/.cache}/nodebake */
static int cache_folder(char **out, struct error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/')
        *out = heap_printf("%s/nodebake", cache);
    else if (home && *home == '/')
        *out = heap_printf("%s/.cache/nodebake", home);
    else
        return error_set(err, "neither XDG_CACHE_HOME nor HOME names a folder for the cache");
    return 0;
}

static int load_profile(const struct args *args, struct inputs *out, struct error *err)
{
    char *file AUTO_FREE = install_profile(args->install, args->cluster->profile);
    if (profile_load(file, &out->profile, args->problems, err) < 0)
        return -1;
    profile_choose(out->profile, args->cluster);
    return 0;
}

int inputs_defaults(struct cluster *cluster, struct problems *problems, struct error *err)
{
    struct install install AUTO_INSTALL = {0};
    struct profile *profile AUTO_PROFILE = NULL;
    if (cluster->domain)
        return 0;
    if (install_find(&install, err) < 0)
        return -1;
    char *file AUTO_FREE = install_profile(&install, cluster->profile);
    if (profile_load(file, &profile, problems, err) < 0)
        return -1;
    cluster->domain = steal(profile->domain);
    return 0;
}

static int load_release(const struct args *args, struct inputs *out, struct error *err)
{
    const struct cluster *cluster = args->cluster;
    char *file AUTO_FREE = cluster->release ? heap_copy(cluster->release)
                                            : install_release(args->install, cluster->kubernetes);
    return release_load(file, &out->release, args->problems, err);
}

int inputs_load(const struct args *args, struct inputs *out, struct error *err)
{
    const struct cluster *cluster = args->cluster;
    const char *pki = args_value(args, "pki");
    out->pki = pki ? heap_copy(pki) : cluster_path(cluster, "pki");
    if (cache_folder(&out->cache, err) < 0 || load_profile(args, out, err) < 0 ||
        target_select(cluster, out->profile, args->operands, args->operand_count, &out->targets,
                      &out->target_count, err) < 0 ||
        target_check(out->profile, out->targets, out->target_count, err) < 0 ||
        load_release(args, out, err) < 0 ||
        plan_check_versions(cluster, out->profile, out->release, err) < 0)
        return -1;
    return release_locate(out->release, cluster->artifacts, out->cache, err);
}

struct plan_input inputs_of_plan(const struct args *args, const struct inputs *inputs,
                                 const struct target *target, const struct base *base)
{
    return (struct plan_input){
        .cluster = args->cluster,
        .profile = inputs->profile,
        .release = inputs->release,
        .role = target->role,
        .node = target->node,
        .base = base,
        .data = args->install->data,
        .hook = args->install->hook,
        .pki = inputs->pki,
        .firstboot = args->install->firstboot,
    };
}

void inputs_free(struct inputs *inputs)
{
    profile_free(inputs->profile);
    release_free(inputs->release);
    free(inputs->targets);
    free(inputs->cache);
    free(inputs->pki);
}
