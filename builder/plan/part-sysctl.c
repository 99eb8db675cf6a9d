/* Kernel parameters of cluster.yaml. What the nodes need is in a file of an overlay, which is the
 * last that counts; nothing may say otherwise. */
#include <fnmatch.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/part.h"
#include "builder/plan/sysctl.h"

#define NEEDED  "/etc/sysctl.d/99-zz-nodebake.conf"
#define CLUSTER "/etc/sysctl.d/99-zz-cluster.conf"

/* A file that may contradict what the nodes need. */
struct check {
    const char *place, *other;
    struct error *err;
};

static int compare(void *ctx, const char *key, const char *value)
{
    const struct check *check = ctx;
    char *other AUTO_FREE = sysctl_value(check->other, key);
    if (!other || strcmp(other, value) == 0)
        return 0;
    return error_set(check->err, "%s sets %s to '%s', and the nodes need '%s'; leave it out",
                     check->place, key, other, value);
}

static int check_text(const char *place, const char *text, const char *needed, struct error *err)
{
    struct check check = {place, text, err};
    return sysctl_each(needed, compare, &check) < 0 ? -1 : 0;
}

/* Is the file read after the one with what the nodes need? Folders do not matter, names do. */
static bool is_later(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    return fnmatch("*/sysctl.d/*.conf", path, 0) == 0 && strcmp(name, strrchr(NEEDED, '/') + 1) > 0;
}

static int check_later(const struct plan *plan, const char *needed, struct error *err)
{
    const struct base *base = plan->in.base;
    for (size_t i = 0; i < plan->tree->count; i++) {
        const struct entry *entry = &plan->tree->entries[i];
        if (entry->text && is_later(entry->path) &&
            check_text(entry->source, entry->text, needed, err) < 0)
            return -1;
    }
    for (size_t i = 0; base && i < base->file_count; i++) {
        const char *path = base->files[i].path;
        char *place AUTO_FREE = heap_printf("%s of the base", path);
        if (is_later(path) && !tree_find(plan->tree, path) &&
            check_text(place, base->files[i].text, needed, err) < 0)
            return -1;
    }
    return 0;
}

int part_sysctl(struct plan *plan, struct error *err)
{
    const struct settings *s = &plan->in.cluster->settings;
    const struct entry *needed = tree_find(plan->tree, NEEDED);
    char *place AUTO_FREE = heap_printf("%s: sysctl", plan->in.cluster->file);
    struct buffer text AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < s->sysctl_count; i++)
        buffer_printf(&text, "%s = %s\n", s->sysctl[i].key, s->sysctl[i].value);
    if (needed && text.len && check_text(place, text.data, needed->text, err) < 0)
        return -1;
    if (needed && check_later(plan, needed->text, err) < 0)
        return -1;
    return text.len ? part_text(plan, CLUSTER, 0644, &text, "cluster.yaml: sysctl", err) : 0;
}
