#include <stdlib.h>
#include <string.h>

#include "builder/build/build.h"
#include "builder/heap.h"

static struct group *group_of(struct build *build, const struct role *role)
{
    for (size_t i = 0; i < build->group_count; i++)
        if (build->groups[i].role_target.role == role)
            return &build->groups[i];
    struct group *group = &build->groups[build->group_count++];
    group->role_target = (struct target){.role = role};
    group->role.name = role->name;
    group->role.group = group;
    return group;
}

static void add_product(struct build *build, struct image *image, const struct format *format,
                        bool overlay)
{
    for (size_t i = 0; i < image->product_count; i++)
        if (image->products[i].output.format == format)
            return;
    image->products =
        image->products ? image->products : heap_array(BUILD_FORMATS_MAX, sizeof *image->products);
    image->products[image->product_count++] = (struct product){
        .output = {.format = format,
                   .path = heap_printf("%s/%s%s", build->options.out, image->name, format->suffix)},
        .overlay = overlay};
}

static void add_node(struct build *build, struct group *group, const struct target *target)
{
    struct image *image = &group->nodes[group->node_count++];
    image->target = target;
    image->group = group;
    image->name = target->node->name;
    image->asked = true;
    for (size_t i = 0; i < build->options.format_count; i++) {
        const struct format *format = build->options.formats[i];
        bool overlay = format->overlays && !build->options.full;
        if (overlay) /* something has to lie below */
            add_product(build, &group->role, format, false);
        add_product(build, image, format, overlay);
    }
}

static void add_role(struct build *build, struct group *group)
{
    group->role.asked = true;
    for (size_t i = 0; i < build->options.format_count; i++)
        add_product(build, &group->role, build->options.formats[i], false);
}

void build_lay_out(struct build *build)
{
    size_t n = build->inputs.target_count;
    build->groups = heap_array(n, sizeof *build->groups);
    for (size_t i = 0; i < n; i++) {
        const struct target *target = &build->inputs.targets[i];
        struct group *group = group_of(build, target->role);
        if (!group->nodes)
            group->nodes = heap_array(n, sizeof *group->nodes);
        if (target->node)
            add_node(build, group, target);
        else
            add_role(build, group);
    }
    for (size_t i = 0; i < build->group_count; i++)
        build->groups[i].role.target = &build->groups[i].role_target;
}
