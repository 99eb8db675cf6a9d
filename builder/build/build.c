#include "builder/build/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/interrupt.h"

int build_plan(const struct build *build, const struct image *image, const struct base *base,
               struct plan **out, struct error *err)
{
    struct plan *plan AUTO_PLAN = NULL;
    struct plan_input in = inputs_of_plan(build->args, &build->inputs, image->target, base);
    if (plan_make(&in, &plan, err) < 0 || build_unseal(build, plan->tree, err) < 0 ||
        tree_add_manifest(plan->tree, err) < 0)
        return -1;
    *out = steal(plan);
    return 0;
}

int build_plan_role(const struct build *build, struct group *group, const struct base *base,
                    struct error *err)
{
    plan_free(group->plan);
    group->plan = NULL;
    return build_plan(build, &group->role, base, &group->plan, err);
}

bool build_lies_on_role(const struct image *image)
{
    for (size_t i = 0; i < image->product_count; i++)
        if (image->products[i].overlay)
            return true;
    return false;
}

const struct product *build_raw_product(const struct image *image)
{
    for (size_t i = 0; i < image->product_count; i++)
        if (!image->products[i].output.format->begin && !image->products[i].overlay)
            return &image->products[i];
    return NULL;
}

int build_export(const struct build *build, const struct image *image, const char *raw, bool keep,
                 struct error *err)
{
    struct output outputs[BUILD_FORMATS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < image->product_count; i++)
        if (!image->products[i].overlay)
            outputs[n++] = image->products[i].output;
    const struct export_options options = {.label = image->name,
                                           .compression = build->options.compression,
                                           .mtime = image->draft->tree->mtime,
                                           .keep = keep};
    return image_export(raw, outputs, n, &options, err);
}

static const char *remark(const struct image *image, const struct product *product)
{
    if (!image->target->node)
        return image->asked ? ", without an identity" : ", for its nodes to lie on";
    return product->overlay ? ", an overlay" : "";
}

int build_note(struct build *build, const struct image *image, const struct image *below,
               struct error *err)
{
    if (record_note(build->record, build->out_fd, image, below->content, err) < 0)
        return -1;
    for (size_t i = 0; i < image->product_count; i++)
        printf("wrote %s (%s%s)\n", image->products[i].output.path, image->target->role->name,
               remark(image, &image->products[i]));
    fflush(stdout); /* the next one may take long */
    return 0;
}

static void image_free(struct image *image)
{
    for (size_t i = 0; i < image->product_count; i++)
        free(image->products[i].output.path);
    free(image->products);
    plan_free(image->draft);
}

static void group_free(struct group *group)
{
    if (group->raw && group->raw_is_ours) {
        interrupt_keeps(group->raw);
        unlink(group->raw);
    }
    free(group->raw);
    plan_free(group->plan);
    texts_free(&group->packages);
    image_free(&group->role);
    for (size_t i = 0; i < group->node_count; i++)
        image_free(&group->nodes[i]);
    free(group->nodes);
}

void build_free(struct build *build)
{
    for (size_t i = 0; i < build->group_count; i++)
        group_free(&build->groups[i]);
    free(build->groups);
    for (size_t i = 0; i < build->base_count; i++) {
        base_free(build->bases[i].facts);
        prepared_free(&build->bases[i].prepared);
    }
    free(build->bases);
    record_free(build->record);
    inputs_free(&build->inputs);
    if (build->out_fd >= 0)
        close(build->out_fd);
}
