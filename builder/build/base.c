#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/build/build.h"
#include "builder/heap.h"
#include "builder/image/base-file.h"

static void add_missing(struct texts *packages, const struct texts *more)
{
    for (size_t i = 0; i < more->count; i++)
        if (!texts_have(packages, more->items[i]))
            texts_add(packages, more->items[i]);
}

/* Those of all roles: what a build is asked for must not change the base. */
static void list_packages(struct build *build)
{
    const struct profile *profile = build->inputs.profile;
    for (size_t i = 0; i < profile->role_count; i++)
        add_missing(&build->packages, &profile->roles[i].packages);
    add_missing(&build->packages, &build->args->cluster->settings.packages);
}

int build_require_packages(const struct build *build, const struct role *role,
                           const struct base *base, struct error *err)
{
    struct texts packages AUTO_TEXTS = {0};
    add_missing(&packages, &role->packages);
    add_missing(&packages, &build->args->cluster->settings.packages);
    return base_require_packages(base, (const char *const *)packages.items, packages.count, err);
}

/* "a,b", or NULL. */
static char *joined(const struct texts *texts)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < texts->count; i++)
        buffer_printf(&text, "%s%s", i ? "," : "", texts->items[i]);
    return text.len ? steal(text.data) : NULL;
}

static int prepare(struct build *build, bool dry, struct error *err)
{
    const struct cluster *cluster = build->args->cluster;
    const struct proxy *proxy = &cluster->settings.proxy;
    char *no_proxy AUTO_FREE = joined(&proxy->no);
    const struct preparation preparation = {
        .image = build->base,
        .writer = build->options.writer,
        .packages = (const char *const *)build->packages.items,
        .package_count = build->packages.count,
        .debs = cluster->debs,
        .repositories = cluster->settings.repositories,
        .access = {.http_proxy = proxy->http, .https_proxy = proxy->https, .no_proxy = no_proxy},
        .refresh = build->options.refresh_packages,
        .cache = build->inputs.cache,
        .mtime = build->groups[0].role.draft->tree->mtime,
        .rehash = build->options.rehash,
        .dry = dry,
    };
    return base_prepare(&preparation, &build->prepared, err);
}

int build_find_base(struct build *build, bool dry, struct error *err)
{
    const struct cluster *cluster = build->args->cluster;
    if (build->options.refresh_packages && (cluster->debs || !cluster->settings.repositories))
        return error_set(err, "--refresh-packages needs `repositories: true` and no `debs`");
    if (image_probe(cluster->image, &build->base, err) < 0)
        return -1;
    list_packages(build);
    if (!build->group_count)
        return 0;
    if (prepare(build, dry, err) < 0)
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
