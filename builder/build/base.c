#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/build/build.h"
#include "builder/heap.h"
#include "builder/image/base-file.h"

static bool lists(const char *const *packages, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(packages[i], name) == 0)
            return true;
    return false;
}

/* Those of all roles: what a build is asked for must not change the base. */
static const char **packages_of(const struct profile *profile, size_t *count)
{
    const char **packages = NULL;
    size_t cap = 0;
    *count = 0;
    for (size_t i = 0; i < profile->role_count; i++) {
        const struct texts *texts = &profile->roles[i].packages;
        for (size_t k = 0; k < texts->count; k++)
            if (!lists(packages, *count, texts->items[k]))
                *APPEND(packages, *count, cap) = texts->items[k];
    }
    return packages;
}

int build_find_base(struct build *build, bool dry, struct error *err)
{
    const struct cluster *cluster = build->args->cluster;
    struct preparation preparation = {.writer = build->options.writer,
                                      .debs = cluster->debs,
                                      .cache = build->inputs.cache,
                                      .rehash = build->options.rehash,
                                      .dry = dry};
    if (image_probe(cluster->image, &build->base, err) < 0)
        return -1;
    if (!cluster->debs || !build->group_count)
        return 0;
    const char **packages AUTO_FREE =
        packages_of(build->inputs.profile, &preparation.package_count);
    preparation.image = build->base;
    preparation.packages = packages;
    preparation.mtime = build->groups[0].role.draft->tree->mtime;
    if (base_prepare(&preparation, &build->prepared, err) < 0)
        return -1;
    if (build->prepared.says)
        printf("%s\n", build->prepared.says);
    if (build->prepared.path)
        build->base = (struct disk_file){.path = build->prepared.path};
    return 0;
}

/* Of an earlier build, or its images would not be there to go on with: nothing is checked again. */
int build_look_at_base(struct build *build, struct error *err)
{
    struct disk_view view;
    struct error ignored = ERROR_INIT;
    struct buffer remarks AUTO_BUFFER = buffer_heap();
    if (build->base_facts)
        return 0;
    if (disk_view_open(&build->base, build->options.writer, &view, &remarks, err) < 0)
        return -1;
    int result = base_read(view.writer, view.disk, &build->base_facts, err);
    if (view.writer->close_all(view.set, result < 0 ? &ignored : err) < 0)
        result = -1;
    return result < 0 ? error_context(err, "%s", build->args->cluster->image) : 0;
}
