#include "builder/plan/part.h"

#include <string.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/image/dpkg.h"
#include "builder/plan/facts.h"

#define UNITS_OWN "/etc/systemd/system"

typedef int part_add(struct plan *plan, struct error *err);

static part_add *const parts[] = {
    part_access,      part_cloud_init, part_cni,        part_container_images,
    part_host_name,   part_kernel,     part_manifests,  part_modules,
    part_ntp,         part_proxy,      part_registries, part_runtime,
    part_trusted_cas,
};

/* They look at what the others and the overlays have added. */
static part_add *const late[] = {part_firewall, part_resolver, part_sysctl, part_units,
                                 part_hygiene};

static int run(part_add *const *all, size_t n, struct plan *plan, struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (all[i](plan, err) < 0)
            return -1;
    return 0;
}

int part_add_all(struct plan *plan, struct error *err)
{
    return run(parts, ARRAY_LEN(parts), plan, err);
}

int part_add_late(struct plan *plan, struct error *err)
{
    return run(late, ARRAY_LEN(late), plan, err);
}

int part_dir(struct plan *plan, const char *path, mode_t mode, const char *source,
             struct error *err)
{
    struct entry entry = {
        .path = heap_copy(path), .type = ENTRY_DIR, .mode = mode, .source = heap_copy(source)};
    return tree_add(plan->tree, entry, err);
}

int part_content(struct plan *plan, struct entry entry, struct buffer *text, struct error *err)
{
    plan->bytes += text->len;
    entry.type = ENTRY_FILE;
    entry.len = text->len;
    entry.text = text->data;
    *text = (struct buffer){0};
    return tree_add(plan->tree, entry, err);
}

int part_text(struct plan *plan, const char *path, mode_t mode, struct buffer *text,
              const char *source, struct error *err)
{
    struct entry entry = {.path = heap_copy(path),
                          .mode = mode,
                          .secret = (mode & 077) == 0,
                          .source = heap_copy(source)};
    return part_content(plan, entry, text, err);
}

int part_edited(struct plan *plan, const struct base_file *file, struct buffer *text,
                const char *source, struct error *err)
{
    struct entry entry = {.path = heap_copy(file->path),
                          .mode = file->mode,
                          .uid = file->uid,
                          .gid = file->gid,
                          .secret = (file->mode & 07) == 0,
                          .source = heap_copy(source)};
    return part_content(plan, entry, text, err);
}

int part_template(struct plan *plan, const struct plan_template *file, struct buffer *text,
                  const char *source, struct error *err)
{
    struct buffer raw AUTO_BUFFER = *text, rendered AUTO_BUFFER = buffer_heap();
    struct facts *facts AUTO_FACTS = facts_create(&plan->in, plan->facts_used);
    unsigned later = 0;
    *text = (struct buffer){0};
    if (template_render(&rendered, raw.data, raw.len, facts_lookup, facts, &later, err) < 0)
        return error_context(err, "%s", file->path);
    if (!later)
        return error_set(err, "%s: nothing in it is for firstboot", file->path);
    *APPEND(plan->templates, plan->template_count, plan->template_cap) =
        (struct plan_template){heap_copy(file->path), file->mode, file->uid, file->gid};
    char *path AUTO_FREE = heap_printf(PATH_TEMPLATES "%s", file->path);
    return part_text(plan, path, 0644, &rendered, source, err);
}

int part_host(struct plan *plan, const char *path, mode_t mode, const char *host, bool secret,
              const char *source, struct error *err)
{
    struct entry entry = {.path = heap_copy(path),
                          .type = ENTRY_FILE,
                          .mode = mode,
                          .host = heap_copy(host),
                          .secret = secret,
                          .source = heap_copy(source)};
    return tree_add(plan->tree, entry, err);
}

int part_link(struct plan *plan, const char *path, const char *target, const char *source,
              struct error *err)
{
    struct entry entry = {.path = heap_copy(path),
                          .type = ENTRY_LINK,
                          .target = heap_copy(target),
                          .source = heap_copy(source)};
    return tree_add(plan->tree, entry, err);
}

/* The link is made once the overlays are there, which may bring the unit. */
int part_unit_always(struct plan *plan, const char *unit, const char *target, struct error *err)
{
    if (strchr(unit, '/') || strchr(target, '/') || !strchr(unit, '.') || !strchr(target, '.'))
        return error_set(err, "unit %s for %s: not names of units", unit, target);
    *APPEND(plan->always, plan->always_count, plan->always_cap) =
        (struct plan_unit){heap_copy(unit), heap_copy(target)};
    return 0;
}

/* Does the link switch the unit on, or is it another name of it? */
static bool belongs_to(const struct base_link *link, const char *unit)
{
    const char *file = strrchr(link->path, '/'), *slash = strrchr(link->target, '/');
    size_t folder = (size_t)(file - link->path);
    if (strncmp(link->path, UNITS_OWN "/", strlen(UNITS_OWN "/")) != 0)
        return false;
    bool named = strcmp(file + 1, unit) == 0;
    return folder > strlen(UNITS_OWN)
               ? named
               : !named && strcmp(slash ? slash + 1 : link->target, unit) == 0;
}

int part_unit_off(struct plan *plan, const char *unit, const char *source, struct error *err)
{
    const struct base *base = plan->in.base;
    for (size_t i = 0; i < base->link_count; i++)
        if (belongs_to(&base->links[i], unit) &&
            part_gone(plan, base->links[i].path, source, err) < 0)
            return -1;
    return 0;
}

bool part_package_comes(const struct plan *plan, const char *package)
{
    const struct base *base = plan->in.base;
    return texts_have(&plan->in.cluster->settings.packages, package) &&
           !dpkg_installed(base->dpkg_status, base->dpkg_len, package);
}

int part_gone(struct plan *plan, const char *path, const char *source, struct error *err)
{
    struct entry entry = {.path = heap_copy(path), .type = ENTRY_GONE, .source = heap_copy(source)};
    return tree_add(plan->tree, entry, err);
}
