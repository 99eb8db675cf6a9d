#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/build.h"
#include "builder/build/delta.h"
#include "builder/heap.h"
#include "builder/image/base-file.h"
#include "builder/image/image.h"
#include "builder/interrupt.h"

/* Nodes that are open at a time: each takes the room of a whole image when it cannot be thin, and
 * the appliance of libguestfs takes few disks; but each launch of it takes long. */
enum { BATCH = 8 };

/* A file in which a node's image is made. */
struct work {
    struct image *node;
    const struct product *overlay; /* NULL: a whole raw image, for all other products */
    char *path;                    /* temporary */
    struct disk *disk;
};

struct batch {
    struct work works[2 * BATCH];
    size_t count;
    struct disk_set *set;
};

static void batch_free(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        interrupt_keeps(batch->works[i].path);
        unlink(batch->works[i].path); /* unless it is published */
        free(batch->works[i].path);
    }
}
#define AUTO_BATCH __attribute__((cleanup(batch_free)))

static struct work *add_work(struct batch *batch, struct image *node, char *path)
{
    struct work *work = &batch->works[batch->count++];
    *work = (struct work){.node = node, .path = path};
    interrupt_removes(path);
    return work;
}

static int begin_overlay(struct batch *batch, const struct group *group, struct image *node,
                         const struct product *product, struct error *err)
{
    struct work *work = add_work(batch, node, image_temporary(product->output.path));
    work->overlay = product;
    char *below AUTO_FREE = heap_printf("%s%s", group->role.name, product->output.format->suffix);
    return image_overlay(work->path, below, err);
}

/* The last node takes the role's image itself when nobody else wants it. */
static int begin_whole(struct build *build, struct batch *batch, struct group *group,
                       struct image *node, bool last, struct error *err)
{
    struct work *work = add_work(
        batch, node, heap_printf("%s/.%s.raw.nodebake-tmp", build->options.out, node->name));
    if (!last || !group->raw_is_ours) {
        char *label AUTO_FREE = heap_printf("copy %s for %s", group->role.name, node->name);
        return image_clone(group->raw, work->path, label, err);
    }
    if (rename(group->raw, work->path) < 0)
        return error_errno(err, "rename %s to %s", group->raw, work->path);
    interrupt_keeps(group->raw);
    free(group->raw);
    group->raw = NULL;
    return 0;
}

static int begin_node(struct build *build, struct batch *batch, struct group *group,
                      struct image *node, bool last, struct error *err)
{
    bool whole = false;
    for (size_t i = 0; i < node->product_count; i++) {
        const struct product *product = &node->products[i];
        if (product->overlay && begin_overlay(batch, group, node, product, err) < 0)
            return -1;
        whole = whole || !product->overlay;
    }
    return whole ? begin_whole(build, batch, group, node, last, err) : 0;
}

static int write_node(struct build *build, const struct group *group, const struct work *work,
                      struct error *err)
{
    struct plan *plan AUTO_PLAN = NULL;
    struct tree delta AUTO_DELTA = {0};
    if (build_plan(build, work->node, group->base->facts, &plan, err) < 0 ||
        delta_find(group->plan->tree, plan->tree, &delta, err) < 0)
        return -1;
    return image_add(build->writer, work->disk, &delta, work->node->name, err);
}

static int write_batch(struct build *build, const struct group *group, struct batch *batch,
                       struct error *err)
{
    for (size_t i = 0; i < batch->count; i++)
        if (write_node(build, group, &batch->works[i], err) < 0)
            return error_context(err, "build %s", batch->works[i].node->name);
    return 0;
}

static int edit_batch(struct build *build, const struct group *group, struct batch *batch,
                      struct error *err)
{
    struct disk_file files[2 * BATCH];
    struct disk *disks[2 * BATCH];
    struct disk_set *set = NULL;
    struct error ignored = ERROR_INIT;
    time_t now = group->role.draft->tree->mtime;
    for (size_t i = 0; i < batch->count; i++)
        files[i] = (struct disk_file){batch->works[i].path, batch->works[i].overlay != NULL};
    if (build_choose_writer(build, &files[0], err) < 0 ||
        build->writer->open_all(files, batch->count, now, disks, &set, err) < 0)
        return -1;
    for (size_t i = 0; i < batch->count; i++)
        batch->works[i].disk = disks[i];
    int result = write_batch(build, group, batch, err);
    if (build->writer->close_all(set, result < 0 ? &ignored : err) < 0)
        result = -1;
    return result;
}

static int publish_batch(struct build *build, const struct group *group, const struct batch *batch,
                         struct error *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct work *work = &batch->works[i];
        if (work->overlay && image_publish(work->path, work->overlay->output.path, err) < 0)
            return -1;
        bool last = i + 1 == batch->count || batch->works[i + 1].node != work->node;
        if (!work->overlay && build_export(build, work->node, work->path, false, err) < 0)
            return -1;
        if (last && build_note(build, work->node, &group->role, err) < 0)
            return -1;
    }
    return 0;
}

static size_t count_stale(const struct group *group, size_t from)
{
    size_t n = 0;
    for (size_t i = from; i < group->node_count; i++)
        n += !group->nodes[i].fresh;
    return n;
}

/* Makes the next few nodes, and moves *next behind them. */
static int make_batch(struct build *build, struct group *group, size_t *next, struct error *err)
{
    struct batch batch AUTO_BATCH = {.count = 0};
    for (size_t n = 0; *next < group->node_count && n < BATCH; ++*next) {
        struct image *node = &group->nodes[*next];
        if (node->fresh)
            continue;
        bool last = count_stale(group, *next + 1) == 0;
        if (begin_node(build, &batch, group, node, last, err) < 0)
            return -1;
        n++;
    }
    if (edit_batch(build, group, &batch, err) < 0)
        return -1;
    return publish_batch(build, group, &batch, err);
}

int build_nodes(struct build *build, struct group *group, struct error *err)
{
    if (!count_stale(group, 0))
        return 0;
    if (build_look_at_base(build, group->base, err) < 0 ||
        (!group->plan && build_plan_role(build, group, group->base->facts, err) < 0))
        return -1;
    for (size_t next = 0; count_stale(group, next);)
        if (make_batch(build, group, &next, err) < 0)
            return -1;
    return 0;
}
