#include "builder/plan/part.h"

#include "builder/heap.h"
#include "builder/image/base.h"

typedef int part_add(struct plan *plan, struct error *err);

static part_add *const parts[] = {
    part_modules, NULL, /* the end */
};

static part_add *const late[] = {
    part_sysctl, part_units, NULL, /* the end */
};

static int run(part_add *const *part, struct plan *plan, struct error *err)
{
    for (; *part; part++)
        if ((*part)(plan, err) < 0)
            return -1;
    return 0;
}

int part_add_all(struct plan *plan, struct error *err)
{
    return run(parts, plan, err);
}

int part_add_late(struct plan *plan, struct error *err)
{
    return run(late, plan, err);
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
    struct entry entry = {.path = heap_copy(path), .mode = mode, .source = heap_copy(source)};
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

int part_gone(struct plan *plan, const char *path, const char *source, struct error *err)
{
    struct entry entry = {.path = heap_copy(path), .type = ENTRY_GONE, .source = heap_copy(source)};
    return tree_add(plan->tree, entry, err);
}
