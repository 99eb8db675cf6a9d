/* Kernel modules of cluster.yaml, loaded at boot beside those that the nodes need. */
#include "builder/heap.h"
#include "builder/plan/part.h"

int part_modules(struct plan *plan, struct error *err)
{
    const struct texts *modules = &plan->in.cluster->settings.modules;
    struct buffer text AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < modules->count; i++)
        buffer_printf(&text, "%s\n", modules->items[i]);
    if (!text.len)
        return 0;
    return part_text(plan, "/etc/modules-load.d/95-cluster.conf", 0644, &text,
                     "cluster.yaml: modules", err);
}
