#include "builder/plan/choices.h"

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/runtime.h"

/* An overlay for images of one kind. */
struct choice {
    const char *overlay;
    bool (*wanted)(const struct plan_input *in);
};

static bool wants_v1_runtime(const struct plan_input *in)
{
    return runtime_is_v1(in->cluster) && texts_have(&in->role->overlays, "hard-way-worker");
}

/* By what the cluster file says. */
static const struct choice by_settings[] = {
    {"hard-way-worker-v1-runtime", wants_v1_runtime}, {NULL, NULL}, /* the end */
};

/* By the base, too; asked only when it is known. */
static const struct choice choices[] = {
    {NULL, NULL}, /* the end */
};

static int add_wanted(const struct plan_input *in, const struct choice *choice,
                      struct overlay_list *list, struct error *err)
{
    for (; choice->overlay; choice++)
        if (choice->wanted(in) && overlay_add(in->data, choice->overlay, list, err) < 0)
            return -1;
    return 0;
}

int choices_add(const struct plan_input *in, struct overlay_list *list, struct error *err)
{
    const struct texts *own = &in->cluster->settings.overlays;
    for (size_t i = 0; i < in->role->overlays.count; i++)
        if (overlay_add(in->data, in->role->overlays.items[i], list, err) < 0)
            return -1;
    if (add_wanted(in, by_settings, list, err) < 0 ||
        (in->base && add_wanted(in, choices, list, err) < 0))
        return -1;
    for (size_t i = 0; i < own->count; i++)
        if (overlay_add_folder(own->items[i], list, err) < 0)
            return -1;
    return 0;
}
