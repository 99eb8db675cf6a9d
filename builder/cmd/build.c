#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cmd/inputs.h"
#include "builder/heap.h"
#include "builder/image/base-file.h"
#include "builder/image/export.h"
#include "builder/image/image.h"
#include "builder/interrupt.h"
#include "builder/lock.h"
#include "builder/pki/pki.h"
#include "builder/plan/plan.h"
#include "common/cleanup.h"

/* More formats than there are, for none is given twice. */
enum { FORMATS_MAX = 8 };

/* One build: the images that it makes, all in one launch of the writer. */
struct build {
    const struct args *args;
    const char *out;
    struct inputs inputs;
    const struct disk_writer *writer;
    struct disk_file base;
    char **raws; /* the images while they are edited, one a target; then what is exported */
    size_t raw_count;
    struct disk **disks; /* the same, opened */
    struct disk_set *set;
};

static const char *target_name(const struct target *target)
{
    return target->node ? target->node->name : target->role->name;
}

static const struct format *nth_format(const struct args *args, size_t n)
{
    const char *name = args_nth(args, "format", n);
    if (!name)
        return n == 0 ? format_find("raw") : NULL;
    return format_find(name);
}

static int check_formats(const struct args *args, struct error *err)
{
    const char *name;
    for (size_t i = 0; (name = args_nth(args, "format", i)); i++) {
        if (!format_find(name))
            return error_set(err, "--format %s: no such format; there are: %s", name,
                             format_names());
        for (size_t j = 0; j < i; j++)
            if (nth_format(args, j) == nth_format(args, i))
                return error_set(err, "--format %s is given twice", name);
    }
    return 0;
}

static char *output_path(const struct build *b, const struct target *target,
                         const struct format *format)
{
    return heap_printf("%s/%s%s", b->out, target_name(target), format->suffix);
}

/* Plans every image before anything is made, so that what cannot work is refused at once; `show`
 * says what would be written. */
static int check_plans(const struct build *b, bool show, struct error *err)
{
    for (size_t i = 0; i < b->inputs.target_count; i++) {
        struct plan *plan AUTO_PLAN = NULL;
        const struct target *target = &b->inputs.targets[i];
        struct plan_input in = inputs_of_plan(b->args, &b->inputs, target, NULL);
        if (plan_make(&in, &plan, err) < 0 || plan_require(plan, err) < 0)
            return -1;
        const struct format *format;
        for (size_t f = 0; show && (format = nth_format(b->args, f)); f++) {
            char *path AUTO_FREE = output_path(b, target, format);
            printf("would write %s: %zu entries, %.1f MiB of files\n", path, plan->tree->count + 1,
                   (double)plan->bytes / (1 << 20));
        }
    }
    return 0;
}

static int issue(const struct build *b, struct error *err)
{
    unsigned issued = 0;
    if (pki_issue(b->args->cluster, b->inputs.pki, &issued, err) < 0)
        return error_context(err, "certificates");
    if (issued)
        printf("%s: %u files issued\n", b->inputs.pki, issued);
    return 0;
}

static int import_bases(struct build *b, struct error *err)
{
    b->raw_count = b->inputs.target_count + FORMATS_MAX;
    b->raws = heap_array(b->raw_count, sizeof *b->raws);
    interrupt_removes(b->raws, b->raw_count);
    for (size_t i = 0; i < b->inputs.target_count; i++) {
        char *raw =
            heap_printf("%s/.%s.raw.nodebake-tmp", b->out, target_name(&b->inputs.targets[i]));
        b->raws[i] = raw;
        if (image_import(&b->base, raw, err) < 0)
            return -1;
    }
    return 0;
}

static int write_one(const struct build *b, size_t i, const struct base *base, struct error *err)
{
    struct plan *plan AUTO_PLAN = NULL;
    struct plan_input in = inputs_of_plan(b->args, &b->inputs, &b->inputs.targets[i], base);
    if (plan_make(&in, &plan, err) < 0 || tree_add_manifest(plan->tree, err) < 0)
        return -1;
    return image_write(b->writer, b->disks[i], base, plan->tree, plan->name, err);
}

/* All images are copies of one base: what is asked of it is asked once. */
static int write_all(struct build *b, struct error *err)
{
    struct base *base AUTO_BASE = NULL;
    if (base_read(b->writer, b->disks[0], &base, err) < 0)
        return error_context(err, "%s", b->args->cluster->image);
    for (size_t i = 0; i < b->inputs.target_count; i++) {
        const struct texts *packages = &b->inputs.targets[i].role->packages;
        if (base_require_packages(base, (const char *const *)packages->items, packages->count,
                                  err) < 0)
            return error_context(err, "%s", b->args->cluster->image);
    }
    for (size_t i = 0; i < b->inputs.target_count; i++)
        if (write_one(b, i, base, err) < 0)
            return error_context(err, "build %s", target_name(&b->inputs.targets[i]));
    return 0;
}

static int edit(struct build *b, struct error *err)
{
    size_t n = b->inputs.target_count;
    struct error ignored = ERROR_INIT;
    b->disks = heap_array(n, sizeof *b->disks);
    struct disk_file *files AUTO_FREE = heap_array(n, sizeof *files);
    for (size_t i = 0; i < n; i++)
        files[i] = (struct disk_file){.path = b->raws[i]};
    if (b->writer->open_all(files, n, 1, b->disks, &b->set, err) < 0)
        return error_context(err, "%s", b->args->cluster->image);
    int result = write_all(b, err);
    /* What could not be flushed is a failure, unless there was one already. */
    if (b->writer->close_all(b->set, result < 0 ? &ignored : err) < 0)
        result = -1;
    b->set = NULL;
    return result;
}

/* From now on an interrupt removes this unfinished file, too. */
static void note_export(const struct build *b, size_t n, const char *path)
{
    char **slot = &b->raws[b->inputs.target_count + n], *old = *slot;
    *slot = image_temporary(path);
    free(old);
}

/* What the images of one build have in common. */
static int export_options(struct export_options *options, struct error *err)
{
    struct tree *tree AUTO_TREE = NULL;
    if (tree_create(&tree, err) < 0)
        return -1;
    *options = (struct export_options){.compression = "zstd", .mtime = tree->mtime};
    return 0;
}

static int export_one(const struct build *b, size_t i, struct export_options options,
                      struct error *err)
{
    const struct target *target = &b->inputs.targets[i];
    struct output outputs[FORMATS_MAX];
    size_t n = 0;
    const struct format *format;
    while (n < FORMATS_MAX && (format = nth_format(b->args, n))) {
        outputs[n] = (struct output){.format = format, .path = output_path(b, target, format)};
        note_export(b, n, outputs[n].path);
        n++;
    }
    options.label = target_name(target);
    int result = image_export(b->raws[i], outputs, n, &options, err);
    for (size_t f = 0; f < n; f++) {
        if (result == 0)
            printf("wrote %s (%s%s)\n", outputs[f].path, target->role->name,
                   target->node ? "" : ", without an identity");
        free(outputs[f].path);
    }
    return result;
}

static int export_all(const struct build *b, struct error *err)
{
    struct export_options options;
    if (export_options(&options, err) < 0)
        return -1;
    for (size_t i = 0; i < b->inputs.target_count; i++)
        if (export_one(b, i, options, err) < 0)
            return -1;
    return 0;
}

static int make_images(struct build *b, struct error *err)
{
    const struct args *args = b->args;
    int lock AUTO_CLOSE = -1;
    if (mkdir(b->out, 0777) < 0 && errno != EEXIST)
        return error_errno(err, "create %s", b->out);
    int dir AUTO_CLOSE = open(b->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_errno(err, "open %s", b->out);
    if (lock_take(dir, ".nodebake.lock", 0, &lock, err) < 0)
        return error_context(err, "%s", b->out);
    if (issue(b, err) < 0 ||
        release_unpack(b->inputs.release, args->cluster->artifacts, b->inputs.cache, err) < 0 ||
        import_bases(b, err) < 0 || edit(b, err) < 0)
        return -1;
    return export_all(b, err);
}

/* Drops what a failure left; a finished build has renamed or removed it. */
static void remove_raws(struct build *b)
{
    interrupt_forget();
    for (size_t i = 0; i < b->raw_count; i++) {
        if (b->raws[i])
            unlink(b->raws[i]);
        free(b->raws[i]);
    }
    free(b->raws);
    free(b->disks);
}

static int run(const struct args *args, struct error *err)
{
    const char *out = args_value(args, "out");
    struct build b = {
        .args = args, .out = out ? out : "out", .writer = disk_writer_find("guestfs")};
    bool dry = args_flag(args, "dry-run");
    int result = check_formats(args, err);
    if (result == 0)
        result = inputs_load(args, &b.inputs, err);
    if (result == 0)
        result = check_plans(&b, false, err);
    if (result == 0 && image_probe(args->cluster->image, &b.base, err) < 0)
        result = error_context(err, "%s: image", args->cluster->file);
    if (result == 0) /* nothing is said or made before all is checked */
        result = dry ? check_plans(&b, true, err) : make_images(&b, err);
    remove_raws(&b);
    inputs_free(&b.inputs);
    return result;
}

const struct command cmd_build = {
    .name = "build",
    .operands = "[ROLE|NODE]...",
    .summary = "Makes the images of roles and nodes",
    .details =
        "Issues the certificates that are missing, verifies and unpacks the release's files,\n"
        "and writes each image as DIR/NAME.raw (.qcow2, .tar.gz). A role's image holds no "
        "identity.\n"
        "Without arguments: every node that the profile lays out.\n",
    .options = {OPTION_CLUSTER,
                {"out", "DIR", "folder of the images (default: out)"},
                {"pki", "DIR", "folder of certificates and keys (default: pki/ beside FILE)"},
                {"format", "FORMAT", "raw, qcow2 or gce; repeatable (default: raw)"},
                {"dry-run", NULL, "check everything, say what would be written, write nothing"},
                OPTION_QUIET},
    .operands_max = SIZE_MAX,
    .needs = NEEDS_CLUSTER | NEEDS_INSTALL | NEEDS_QEMU_IMG,
    .run = run,
};
