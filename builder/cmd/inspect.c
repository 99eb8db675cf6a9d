#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "builder/command.h"
#include "builder/heap.h"
#include "builder/image/base-file.h"
#include "builder/inspect/inspect.h"

static int choose_writer(const struct args *args, const struct disk_writer **out, struct error *err)
{
    const char *name = args_value(args, "writer");
    *out = NULL;
    if (name && strcmp(name, "auto") != 0 && !(*out = disk_writer_find(name)))
        return error_set(err, "--writer %s: no such writer; there are: auto, ext4, guestfs", name);
    return 0;
}

static int inspect(const char *path, const struct disk_writer *writer, struct report *report,
                   struct error *err)
{
    struct image_layers layers AUTO_LAYERS = {.count = 0};
    struct disk_file file;
    if (image_probe_layers(path, &file, &layers, err) < 0)
        return -1;
    report->path = report_text(path, strlen(path));
    report->qcow2 = file.qcow2;
    report->size = layers.size;
    for (size_t i = 0; i < layers.count; i++)
        list_add(&report->below, layers.below[i]);
    return inspect_image(&file, writer, time(NULL), report, err);
}

static int run(const struct args *args, struct error *err)
{
    const struct disk_writer *writer;
    struct report report AUTO_REPORT = {.path = NULL};
    if (choose_writer(args, &writer, err) < 0 ||
        inspect(args->operands[0], writer, &report, err) < 0)
        return -1;
    if (args_flag(args, "json")) {
        if (report_print_json(&report, stdout, err) < 0)
            return -1;
    } else
        report_print(&report, stdout);
    if (report.problem_count)
        return error_set(err, "%s: %zu problem%s", args->operands[0], report.problem_count,
                         report.problem_count == 1 ? "" : "s");
    return 0;
}

const struct command cmd_inspect = {
    .name = "inspect",
    .operands = "IMAGE",
    .summary = "Shows what is in an image, and whether it is still what was built",
    .details =
        "Reads a raw or qcow2 image and changes nothing in it; no cluster file is needed. Shows\n"
        "the base system and kernel, role, build id, components, certificates with the days that\n"
        "they have left, units, templates, contract, hygiene and kernel line, and compares every\n"
        "file with the manifest. Ends with 1 when there is a problem: a file that differs, a\n"
        "certificate that has expired.\n",
    .options = {{"json", NULL, "print JSON"},
                {"writer", "WRITER", "auto, ext4 or guestfs (default: auto)"},
                OPTION_QUIET},
    .operands_min = 1,
    .operands_max = 1,
    .needs = NEEDS_QEMU_IMG,
    .run = run,
};
