/* An image of an earlier build in which only the content of a few files changes (a certificate was
 * renewed) is not made from the base again: a copy of it gets these files. The outcome must be
 * that of a build from scratch, byte by byte; so this is done only when each file takes as many
 * blocks as before, for then it is rewritten where it lies, and what it replaces is gone. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/build.h"
#include "builder/heap.h"
#include "builder/image/base-file.h"
#include "builder/image/image.h"
#include "builder/interrupt.h"

enum {
    MANIFEST_MAX = 16 << 20,
    LEAST_BLOCK = 1024 /* as many of these are as many blocks of any ext4 */
};

static void json_free_at(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_free_at)))

/* One update under way. */
struct update {
    struct build *build;
    struct image *image;
    char *raw; /* the copy */
    struct disk *disk;
    struct plan *plan;
    struct tree changed; /* borrows its entries from the plan */
};

static bool same_blocks(uint64_t a, uint64_t b)
{
    return (a + LEAST_BLOCK - 1) / LEAST_BLOCK == (b + LEAST_BLOCK - 1) / LEAST_BLOCK;
}

/* What the initramfs holds is not rewritten here. */
static bool in_initramfs(const char *path)
{
    return strcmp(path, IMAGE_FIRSTBOOT) == 0 || strcmp(path, IMAGE_INITRAMFS_SCRIPT) == 0;
}

/* Do two items of manifests differ in the content of a file only, and in no number of blocks? */
static bool only_content(const json_t *old, const json_t *now)
{
    static const char *const content[] = {"sha256", "size"};
    if (!same_blocks((uint64_t)json_integer_value(json_object_get(old, "size")),
                     (uint64_t)json_integer_value(json_object_get(now, "size"))))
        return false;
    json_t *a AUTO_JSON = json_copy((json_t *)old), *b AUTO_JSON = json_copy((json_t *)now);
    for (size_t i = 0; i < ARRAY_LEN(content); i++) {
        json_object_del(a, content[i]);
        json_object_del(b, content[i]);
    }
    return json_equal(a, b);
}

/* Notes the entries that changed; false when the image has to be made from scratch. */
static bool compare(struct update *u, const json_t *old, const json_t *now)
{
    size_t n = json_array_size(now);
    if (n == 0 || json_array_size(old) != n)
        return false;
    u->changed.entries = heap_array(n + 1, sizeof *u->changed.entries);
    for (size_t i = 0; i < n; i++) {
        const json_t *a = json_array_get(old, i), *b = json_array_get(now, i);
        const char *path = json_string_value(json_object_get(b, "path"));
        const struct entry *entry = path ? tree_find(u->plan->tree, path) : NULL;
        if (json_equal(a, b))
            continue;
        if (!entry || entry->type != ENTRY_FILE || in_initramfs(path) || !only_content(a, b))
            return false;
        u->changed.entries[u->changed.count++] = *entry;
    }
    return true;
}

/* 1 when the image can be updated, 0 when not, or -1. */
static int find_changes(struct update *u, struct error *err)
{
    struct buffer old AUTO_BUFFER = buffer_heap();
    if (build_plan(u->build, u->image, u->image->group->base->facts, &u->plan, err) < 0 ||
        u->build->writer->read(u->disk, TREE_MANIFEST, MANIFEST_MAX, &old, err) < 0)
        return -1;
    const struct entry *manifest = tree_find(u->plan->tree, TREE_MANIFEST);
    if (!manifest || !same_blocks(manifest->len, old.len))
        return 0;
    json_t *before AUTO_JSON = json_loadb(old.data, old.len, 0, NULL);
    json_t *after AUTO_JSON = json_loadb(manifest->text, manifest->len, 0, NULL);
    if (!compare(u, json_object_get(before, "entries"), json_object_get(after, "entries")))
        return 0;
    u->changed.entries[u->changed.count++] = *manifest;
    u->changed.mtime = u->plan->tree->mtime;
    return 1;
}

static int rewrite(struct update *u, struct error *err)
{
    const struct disk_file file = {.path = u->raw};
    const struct disk_writer *writer = u->build->writer;
    struct disk_set *set = NULL;
    struct error ignored = ERROR_INIT;
    if (writer->open_all(&file, 1, u->image->draft->tree->mtime, &u->disk, &set, err) < 0)
        return -1;
    int answer = find_changes(u, err);
    if (answer > 0 && image_add(writer, u->disk, &u->changed, u->image->name, err) < 0)
        answer = -1;
    if (writer->close_all(set, answer < 0 ? &ignored : err) < 0)
        answer = -1;
    return answer;
}

static int update(struct update *u, const char *from, struct error *err)
{
    char *label AUTO_FREE = heap_printf("copy the last %s", u->image->name);
    if (image_clone(from, u->raw, label, err) < 0)
        return -1;
    int answer = rewrite(u, err);
    if (answer > 0 && (build_export(u->build, u->image, u->raw, false, err) < 0 ||
                       build_note(u->build, u->image, u->image, err) < 0))
        answer = -1;
    return answer;
}

/* Its raw image, when the record vouches for it and for all that is not in the manifest. */
static const char *last_raw(const struct build *build, const struct image *image)
{
    const struct product *raw = build_raw_product(image);
    bool same = record_holds(build->record, build->out_fd, image, RECORD_FRAME, image->frame);
    return raw && same && !build_lies_on_role(image) ? raw->output.path : NULL;
}

int build_update(struct build *build, struct image *image, struct error *err)
{
    const char *from = image->fresh ? NULL : last_raw(build, image);
    if (!from)
        return 0;
    const struct disk_file file = {.path = from};
    if (build_choose_writer(build, &file, err) < 0)
        return -1;
    if (!build->writer->in_place)
        return 0;
    if (build_look_at_base(build, image->group->base, err) < 0)
        return -1;
    struct update u = {.build = build, .image = image};
    u.raw = heap_printf("%s/.%s.raw.nodebake-tmp", build->options.out, image->name);
    interrupt_removes(u.raw);
    int answer = update(&u, from, err);
    interrupt_keeps(u.raw);
    if (answer <= 0)
        unlink(u.raw);
    image->fresh = answer > 0;
    free(u.changed.entries);
    plan_free(u.plan);
    free(u.raw);
    return answer < 0 ? error_context(err, "update %s", image->name) : 0;
}
