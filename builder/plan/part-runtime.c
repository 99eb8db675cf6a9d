/* Can the release's containerd do what cluster.yaml asks of it? */
#include <stdlib.h>
#include <string.h>

#include "builder/plan/part.h"
#include "builder/plan/runtime.h"

/* containerd 2.0 left the first shim out. */
enum { CONTAINERD_WITHOUT_V1 = 2 };

bool runtime_is_v1(const struct cluster *cluster)
{
    const char *runtime = cluster->settings.containerd_runtime;
    return runtime && strcmp(runtime, RUNTIME_V1) == 0;
}

static bool runs(const struct role *role, const char *name)
{
    for (size_t i = 0; i < role->binary_count; i++)
        if (strcmp(role->binaries[i].name, name) == 0)
            return true;
    return false;
}

int part_runtime(struct plan *plan, struct error *err)
{
    const struct plan_input *in = &plan->in;
    const struct artifact *artifact = NULL;
    if (!runtime_is_v1(in->cluster) || !runs(in->role, "containerd"))
        return 0;
    if (in->cluster->settings.cgroups != CGROUPS_V1)
        return error_set(err, "%s: containerdRuntime: %s needs cgroups: v1", in->cluster->file,
                         RUNTIME_V1);
    if (!release_member(in->release, "containerd", &artifact))
        return 0; /* which plan_require tells */
    if (strtol(artifact->version, NULL, 10) >= CONTAINERD_WITHOUT_V1)
        return error_set(err,
                         "%s: containerdRuntime: containerd %s of %s has no %s any more; take "
                         "io.containerd.runc.v2",
                         in->cluster->file, artifact->version, in->release->file, RUNTIME_V1);
    if (!runs(in->role, "containerd-shim"))
        return error_set(err,
                         "%s: containerdRuntime: %s needs containerd-shim, which profile %s "
                         "lays out on no %s",
                         in->cluster->file, RUNTIME_V1, in->profile->name, in->role->name);
    if (!release_member(in->release, "containerd-shim", &artifact))
        return error_set(err, "%s: containerdRuntime: %s needs containerd-shim, which %s lacks",
                         in->cluster->file, RUNTIME_V1, in->release->file);
    return 0;
}
