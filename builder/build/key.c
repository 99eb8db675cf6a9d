/* When is an image up to date? When the files of an earlier build are as it left them, and what
 * goes into the image is the same: told by the fingerprints of the inputs, which takes no time,
 * or, when one of them changed (a file was touched) or on demand, by their content. */
#include <stdio.h>
#include <string.h>

#include "builder/build/build.h"
#include "builder/fingerprint.h"
#include "builder/heap.h"
#include "builder/plan/choices.h"

/* What changes the bytes beside the draft's tree. */
static int add_frame(const struct build *build, const struct image *image, const char *base,
                     struct buffer *text, struct error *err)
{
    buffer_printf(text,
                  "base %s\nprogram %s\nwriter %s\ncompression %s\nmtime %lld\n"
                  "disk %llu\n",
                  base, build->program_digest,
                  build->options.writer ? build->options.writer->name : "auto",
                  build->options.compression, (long long)image->draft->tree->mtime,
                  (unsigned long long)build->args->cluster->disk_size);
    for (size_t i = 0; i < image->group->packages.count; i++)
        buffer_printf(text, "package %s\n", image->group->packages.items[i]);
    return choices_left_open(&image->draft->in, text, err);
}

static int add_entry(const struct build *build, const struct entry *entry, struct buffer *text,
                     struct error *err)
{
    char *host AUTO_FREE = entry->host ? build_told_by(build, entry) : NULL;
    char told[DIGEST_HEX_MAX + FINGERPRINT_MAX] = "";
    buffer_printf(text, "%s %d %o %u %u ", entry->path, entry->type, (unsigned)entry->mode,
                  (unsigned)entry->uid, (unsigned)entry->gid);
    if (host && fingerprint_of(host, told, err) < 0)
        return -1;
    if (entry->text && digest_memory(entry->text, entry->len, "sha256", told, err) < 0)
        return -1;
    buffer_printf(text, "%s%s\n", told, entry->target ? entry->target : "");
    return 0;
}

static int find_quick(const struct build *build, struct image *image, struct error *err)
{
    char base[FINGERPRINT_MAX];
    const struct tree *tree = image->draft->tree;
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (fingerprint_of(image->group->base->file.path, base, err) < 0 ||
        add_frame(build, image, base, &text, err) < 0)
        return -1;
    for (size_t i = 0; i < tree->count; i++)
        if (add_entry(build, &tree->entries[i], &text, err) < 0)
            return -1;
    return digest_memory(text.data, text.len, "sha256", image->quick, err);
}

static int find_base_digest(const struct build *build, struct build_base *base, struct error *err)
{
    if (*base->digest)
        return 0;
    if (base->prepared.path) {
        memcpy(base->digest, base->prepared.identity, sizeof base->digest);
        return 0;
    }
    char *folder AUTO_FREE = heap_printf("%s/digests", build->inputs.cache);
    return digest_kept(folder, base->file.path, build->options.rehash, base->digest, err);
}

/* The manifest lists the content of all entries. */
static int find_content(struct build *build, struct image *image, struct error *err)
{
    struct plan *plan AUTO_PLAN = NULL;
    struct buffer text AUTO_BUFFER = buffer_heap();
    if (find_base_digest(build, image->group->base, err) < 0)
        return -1;
    if (build_plan(build, image, NULL, &plan, err) < 0)
        return -1;
    const struct entry *manifest = tree_find(plan->tree, TREE_MANIFEST);
    if (!manifest)
        return error_set(err, "%s: no manifest", image->name);
    if (add_frame(build, image, image->group->base->digest, &text, err) < 0 ||
        digest_memory(text.data, text.len, "sha256", image->frame, err) < 0)
        return -1;
    buffer_add(&text, manifest->text, manifest->len);
    return digest_memory(text.data, text.len, "sha256", image->content, err);
}

/* By content: a file was touched, or the user wants to know. */
static int compare_content(struct build *build, struct image *image, struct error *err)
{
    if (find_content(build, image, err) < 0)
        return -1;
    image->fresh =
        record_holds(build->record, build->out_fd, image, RECORD_CONTENT, image->content);
    return 0;
}

static int find_one(struct build *build, struct image *image, const struct image *below,
                    struct error *err)
{
    if (find_quick(build, image, err) < 0)
        return -1;
    image->fresh = !build->options.rehash &&
                   record_holds(build->record, build->out_fd, image, RECORD_QUICK, image->quick);
    bool quick = image->fresh;
    if (quick)
        snprintf(image->content, sizeof image->content, "%s", record_content(build->record, image));
    else if (compare_content(build, image, err) < 0)
        return -1;
    /* What lies on an image that is made anew has to be made anew. */
    if (below && (!below->fresh || !record_lies_on(build->record, image, below->content)))
        image->fresh = false;
    if (!image->fresh || quick)
        return image->fresh || *image->frame ? 0 : find_content(build, image, err);
    return record_note(build->record, build->out_fd, image, below ? below->content : "", err);
}

/* A role's file that changes would change all that lies on it. */
static int check_dependents(const struct build *build, const struct group *group, struct error *err)
{
    const char **names AUTO_FREE = heap_array(group->node_count + 1, sizeof *names);
    for (size_t i = 0; i < group->node_count; i++)
        names[i] = group->nodes[i].name;
    const char *other = record_dependent(build->record, build->out_fd, group->role.name, names);
    if (!other)
        return 0;
    return error_set(err,
                     "%s/%s lies on the image of role %s, which changes: build its node, too, or "
                     "remove the file",
                     build->options.out, other, group->role.name);
}

static int find_group(struct build *build, struct group *group, struct error *err)
{
    if (group->role.product_count && find_one(build, &group->role, NULL, err) < 0)
        return -1;
    if (group->role.product_count && !group->role.fresh && check_dependents(build, group, err) < 0)
        return -1;
    for (size_t i = 0; i < group->node_count; i++) {
        struct image *node = &group->nodes[i];
        if (find_one(build, node, build_lies_on_role(node) ? &group->role : NULL, err) < 0)
            return error_context(err, "%s", node->name);
    }
    return 0;
}

int build_find_fresh(struct build *build, struct error *err)
{
    char *folder AUTO_FREE = heap_printf("%s/digests", build->inputs.cache);
    digest_keep_in(folder, build->options.rehash);
    if (digest_path("/proc/self/exe", build->program_digest, err) < 0)
        return -1;
    for (size_t i = 0; i < build->group_count; i++)
        if (find_group(build, &build->groups[i], err) < 0)
            return -1;
    return 0;
}

static int draft_one(const struct build *build, struct image *image, struct error *err)
{
    struct plan_input in = inputs_of_plan(build->args, &build->inputs, image->target, NULL);
    if (plan_make(&in, &image->draft, err) < 0)
        return -1;
    return image->asked ? plan_require(image->draft, err) : 0;
}

int build_draft(struct build *build, struct error *err)
{
    for (size_t i = 0; i < build->group_count; i++) {
        struct group *group = &build->groups[i];
        if (draft_one(build, &group->role, err) < 0)
            return -1;
        for (size_t k = 0; k < group->node_count; k++)
            if (draft_one(build, &group->nodes[k], err) < 0)
                return -1;
    }
    return 0;
}
