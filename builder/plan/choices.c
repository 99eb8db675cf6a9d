#include "builder/plan/choices.h"

#include "builder/heap.h"
#include "builder/image/base.h"

/* An overlay for images of one kind; `wanted` is asked only when the base is known. */
static const struct {
    const char *overlay;
    bool (*wanted)(const struct plan_input *in);
} choices[] = {
    {NULL, NULL}, /* the end */
};

int choices_add(const struct plan_input *in, struct overlay_list *list, struct error *err)
{
    const struct settings *settings = &in->cluster->settings;
    for (size_t i = 0; i < in->role->overlays.count; i++)
        if (overlay_add(in->data, in->role->overlays.items[i], list, err) < 0)
            return -1;
    for (size_t i = 0; in->base && choices[i].overlay; i++)
        if (choices[i].wanted(in) && overlay_add(in->data, choices[i].overlay, list, err) < 0)
            return -1;
    for (size_t i = 0; i < settings->overlays.count; i++)
        if (overlay_add_folder(settings->overlays.items[i], list, err) < 0)
            return -1;
    for (size_t i = 0; i < settings->file_count; i++)
        if (overlay_add_own(&settings->files[i], in->cluster->file, list, err) < 0)
            return -1;
    return 0;
}
