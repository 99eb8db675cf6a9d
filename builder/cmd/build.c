#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/build.h"
#include "builder/cmd/pki-common.h"
#include "builder/heap.h"
#include "builder/lock.h"
#include "builder/pki/pki.h"
#include "common/cleanup.h"

/* Another build into the folder may be about to end. */
enum { LOCK_SECONDS = 10 };

static int read_formats(const struct args *args, struct build_options *o, struct error *err)
{
    const char *name;
    for (size_t i = 0; (name = args_nth(args, "format", i)); i++) {
        const struct format *format = format_find(name);
        if (!format)
            return error_set(err, "--format %s: no such format; there are: %s", name,
                             format_names());
        for (size_t k = 0; k < o->format_count; k++)
            if (o->formats[k] == format)
                return error_set(err, "--format %s is given twice", name);
        o->formats[o->format_count++] = format;
    }
    if (!o->format_count)
        o->formats[o->format_count++] = &format_raw;
    return 0;
}

static int read_options(const struct args *args, struct build_options *o, struct error *err)
{
    const char *out = args_value(args, "out"), *writer = args_value(args, "writer"),
               *compression = args_value(args, "compression");
    o->out = out ? out : "out";
    o->compression = compression ? compression : "zstd";
    o->full = args_flag(args, "full");
    o->refresh_packages = args_flag(args, "refresh-packages");
    o->rehash = args_flag(args, "rehash");
    if (strcmp(o->compression, "zstd") != 0 && strcmp(o->compression, "zlib") != 0)
        return error_set(err, "--compression %s: qcow2 has zstd and zlib", o->compression);
    if (writer && strcmp(writer, "auto") != 0 && !(o->writer = disk_writer_find(writer)))
        return error_set(err, "--writer %s: no such writer; there are: auto, ext4, guestfs",
                         writer);
    return read_formats(args, o, err);
}

static void show_dry(const struct image *image, const char *below)
{
    for (size_t i = 0; i < image->product_count; i++) {
        const struct product *product = &image->products[i];
        if (product->overlay)
            printf("would write %s: what differs from %s\n", product->output.path, below);
        else
            printf("would write %s: %zu entries, %.1f MiB of files\n", product->output.path,
                   image->draft->tree->count + 1, (double)image->draft->bytes / (1 << 20));
    }
}

static void show_all_dry(const struct build *build)
{
    for (size_t i = 0; i < build->group_count; i++) {
        const struct group *group = &build->groups[i];
        show_dry(&group->role, "");
        for (size_t k = 0; k < group->node_count; k++)
            show_dry(&group->nodes[k], group->role.name);
    }
}

static int issue(const struct build *build, struct error *err)
{
    static const struct pki_options options;
    struct pki_report report AUTO_PKI_REPORT = {0};
    if (pki_issue(build->args->cluster, build->inputs.pki, &options, &report, err) < 0)
        return error_context(err, "certificates");
    for (size_t i = 0; i < report.count; i++)
        if (report.steps[i].action == PKI_REISSUE)
            printf("%s/%s: reissued, since %s\n", build->inputs.pki, report.steps[i].file,
                   report.steps[i].why);
    if (report.written)
        printf("%s: %u files issued\n", build->inputs.pki, report.written);
    return 0;
}

static void close_dir_at(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* What a build that was killed left: nobody else writes here while the lock is ours. */
static void remove_unfinished(int fd)
{
    static const char suffix[] = ".nodebake-tmp";
    DIR *dir __attribute__((cleanup(close_dir_at))) =
        fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (struct dirent *e; dir && (e = readdir(dir));) {
        size_t len = strlen(e->d_name);
        if (len > strlen(suffix) && strcmp(e->d_name + len - strlen(suffix), suffix) == 0)
            unlinkat(fd, e->d_name, 0);
    }
}

static int open_out(struct build *build, int *lock, struct error *err)
{
    const char *out = build->options.out;
    if (mkdir(out, 0777) < 0 && errno != EEXIST)
        return error_errno(err, "create %s", out);
    build->out_fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (build->out_fd < 0)
        return error_errno(err, "open %s", out);
    if (lock_take(build->out_fd, ".nodebake.lock", LOCK_SECONDS, lock, err) < 0)
        return error_context(err, "%s", out);
    remove_unfinished(build->out_fd);
    build->record = record_load(build->out_fd);
    return 0;
}

static void say_fresh(const struct image *image)
{
    for (size_t i = 0; image->fresh && image->asked && i < image->product_count; i++)
        printf("%s is up to date\n", image->products[i].output.path);
}

static int make_group(struct build *build, struct group *group, struct error *err)
{
    if (build_update(build, &group->role, err) < 0)
        return -1;
    for (size_t i = 0; i < group->node_count; i++)
        if (build_update(build, &group->nodes[i], err) < 0)
            return -1;
    return build_role(build, group, err) < 0 ? -1 : build_nodes(build, group, err);
}

static int make_images(struct build *build, struct error *err)
{
    int lock AUTO_CLOSE = -1;
    if (open_out(build, &lock, err) < 0 || issue(build, err) < 0 ||
        release_unpack(build->inputs.release, build->args->cluster->artifacts, build->inputs.cache,
                       err) < 0 ||
        build_find_fresh(build, err) < 0)
        return -1;
    for (size_t i = 0; i < build->group_count; i++) {
        struct group *group = &build->groups[i];
        say_fresh(&group->role);
        for (size_t k = 0; k < group->node_count; k++)
            say_fresh(&group->nodes[k]);
        if (make_group(build, group, err) < 0)
            return -1;
    }
    return 0;
}

static int run_build(struct build *build, struct error *err)
{
    const struct args *args = build->args;
    if (pki_passphrase(args, err) < 0 || read_options(args, &build->options, err) < 0 ||
        inputs_load(args, &build->inputs, err) < 0)
        return -1;
    build_lay_out(build);
    /* Nothing is said or made before all is checked. */
    if (build_draft(build, err) < 0)
        return -1;
    bool dry = args_flag(args, "dry-run");
    if (build_find_base(build, dry, err) < 0)
        return error_context(err, "%s: image", args->cluster->file);
    if (!dry)
        return make_images(build, err);
    show_all_dry(build);
    return 0;
}

static int run(const struct args *args, struct error *err)
{
    struct build build = {.args = args, .out_fd = -1};
    int result = run_build(&build, err);
    build_free(&build);
    return result;
}

const struct command cmd_build = {
    .name = "build",
    .operands = "[ROLE|NODE]...",
    .summary = "Makes the images of roles and nodes",
    .details =
        "Issues certificates as `nodebake pki` does, verifies and unpacks the release's files,\n"
        "and writes each image as DIR/NAME.raw (.qcow2, .tar.gz). A role's image holds no\n"
        "identity. A node's qcow2 image holds what differs from its role's, DIR/ROLE.qcow2, on\n"
        "which it lies; --full makes it stand alone. What an earlier build made of the same\n"
        "inputs stays. Without arguments: every node that the profile lays out, or\n"
        "the role where one image serves all of it.\n",
    .options = {OPTION_CLUSTER,
                {"out", "DIR", "folder of the images (default: out)"},
                OPTION_PKI,
                OPTIONS_PASSPHRASE,
                {"format", "FORMAT", "raw, qcow2 or gce; repeatable (default: raw)"},
                {"full", NULL, "nodes' qcow2 images stand alone"},
                {"compression", "KIND", "of qcow2: zstd or zlib (default: zstd)"},
                {"writer", "WRITER", "auto, ext4 or guestfs (default: auto)"},
                {"refresh-packages", NULL, "ask the base's repositories for packages again"},
                {"rehash", NULL, "read all inputs to see whether they changed"},
                {"dry-run", NULL, "check everything, say what would be written, write nothing"},
                OPTION_QUIET},
    .operands_max = SIZE_MAX,
    .needs = NEEDS_CLUSTER | NEEDS_INSTALL | NEEDS_QEMU_IMG | NEEDS_BASE,
    .run = run,
};
