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

static void list_packages(const struct build *build, struct group *group)
{
    add_missing(&group->packages, &group->role_target.role->packages);
    add_missing(&group->packages, &build->args->cluster->settings.packages);
}

int build_require_packages(const struct group *group, struct error *err)
{
    return base_require_packages(group->base->facts, (const char *const *)group->packages.items,
                                 group->packages.count, err);
}

/* "a,b", or NULL. */
static char *joined(const struct texts *texts)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < texts->count; i++)
        buffer_printf(&text, "%s%s", i ? "," : "", texts->items[i]);
    return text.len ? steal(text.data) : NULL;
}

static int prepare(const struct build *build, const struct group *group, bool dry,
                   struct prepared *out, struct error *err)
{
    const struct cluster *cluster = build->args->cluster;
    const struct proxy *proxy = &cluster->settings.proxy;
    char *no_proxy AUTO_FREE = joined(&proxy->no);
    const struct preparation preparation = {
        .image = build->bases[0].file,
        .writer = build->options.writer,
        .packages = (const char *const *)group->packages.items,
        .package_count = group->packages.count,
        .debs = cluster->debs,
        .repositories = cluster->settings.repositories,
        .access = {.http_proxy = proxy->http, .https_proxy = proxy->https, .no_proxy = no_proxy},
        .refresh = build->options.refresh_packages,
        .cache = build->inputs.cache,
        .mtime = group->role.draft->tree->mtime,
        .rehash = build->options.rehash,
        .dry = dry,
    };
    return base_prepare(&preparation, out, err);
}

static bool same(const struct texts *a, const struct texts *b)
{
    bool result = a->count == b->count;
    for (size_t i = 0; result && i < a->count; i++)
        result = strcmp(a->items[i], b->items[i]) == 0;
    return result;
}

/* The base of a group: the cluster's, one that another group has, or a new one. */
static int find_base(struct build *build, struct group *group, bool dry, struct error *err)
{
    list_packages(build, group);
    for (const struct group *other = build->groups; other < group; other++)
        if (same(&other->packages, &group->packages)) {
            group->base = other->base;
            return 0;
        }
    struct prepared prepared AUTO_PREPARED = {0};
    group->base = &build->bases[0];
    if (prepare(build, group, dry, &prepared, err) < 0)
        return -1;
    if (prepared.says)
        printf("%s\n", prepared.says);
    if (!prepared.path)
        return 0;
    group->base = &build->bases[build->base_count++];
    group->base->file = (struct disk_file){.path = prepared.path};
    group->base->prepared = prepared;
    prepared = (struct prepared){0};
    return 0;
}

int build_find_base(struct build *build, bool dry, struct error *err)
{
    const struct cluster *cluster = build->args->cluster;
    if (build->options.refresh_packages && (cluster->debs || !cluster->settings.repositories))
        return error_set(err, "--refresh-packages needs `repositories: true` and no `debs`");
    build->bases = heap_array(build->group_count + 1, sizeof *build->bases);
    if (image_probe(cluster->image, &build->bases[0].file, err) < 0)
        return -1;
    build->base_count = 1;
    for (size_t i = 0; i < build->group_count; i++)
        if (find_base(build, &build->groups[i], dry, err) < 0)
            return -1;
    return 0;
}

/* Of an earlier build, or its images would not be there to go on with: nothing is checked again. */
int build_look_at_base(const struct build *build, struct build_base *base, struct error *err)
{
    struct disk_view view;
    struct error ignored = ERROR_INIT;
    struct buffer remarks AUTO_BUFFER = buffer_heap();
    if (base->facts)
        return 0;
    if (disk_view_open(&base->file, build->options.writer, &view, &remarks, err) < 0)
        return -1;
    int result = base_read(view.writer, view.disk, &base->facts, err);
    if (view.writer->close_all(view.set, result < 0 ? &ignored : err) < 0)
        result = -1;
    return result < 0 ? error_context(err, "%s", build->args->cluster->image) : 0;
}
