#include "builder/inspect/gather.h"

#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/inspect/inspect.h"

/* In the order of their needs: files are judged by the stamp, initrds by the manifest. */
static const struct {
    const char *name;
    gather_step *run;
    bool baked; /* only of images that nodebake made */
} steps[] = {
    {"system", gather_system, false},     {"kernels", gather_boot, false},
    {"manifest", gather_manifest, false}, {"image.json", gather_about, true},
    {"contract", gather_contract, true},  {"units", gather_units, true},
    {"files", gather_files, true},        {"unlisted files", gather_unlisted, true},
    {"initrds", gather_initrds, true},    {"hygiene", gather_hygiene, false},
};

int inspect_read(const struct inspection *in, const char *path, size_t max, struct buffer *out,
                 struct error *err)
{
    const struct disk_writer *writer = in->view.writer;
    int found = writer->exists(in->view.disk, path, err);
    if (found <= 0)
        return found;
    if (writer->read(in->view.disk, path, max, out, err) < 0)
        return -1;
    return 1;
}

bool inspect_exists(const struct inspection *in, const char *path)
{
    struct error ignored = ERROR_INIT;
    return in->view.writer->exists(in->view.disk, path, &ignored) > 0;
}

static void run_steps(struct inspection *in)
{
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct error why = ERROR_INIT;
        if ((!steps[i].baked || in->report->baked) && steps[i].run(in, &why) < 0)
            report_remark(in->report, "%s: %s", steps[i].name, why.text);
    }
}

static void take_remarks(struct report *report, const struct buffer *text)
{
    for (char *rest = text->data, *line; (line = strsep(&rest, "\n"));)
        if (*line)
            report_remark(report, "%s", line);
}

static int look_into(const struct disk_file *file, const struct disk_writer *writer, time_t now,
                     struct report *report, struct error *err)
{
    struct inspection in = {.report = report, .now = now};
    struct buffer remarks AUTO_BUFFER = buffer_heap();
    if (disk_view_open(file, writer, &in.view, &remarks, err) < 0)
        return -1;
    report->writer = in.view.writer->name;
    take_remarks(report, &remarks);
    run_steps(&in);
    manifest_free(&in.manifest);
    return in.view.writer->close_all(in.view.set, err);
}

static bool same_state(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Of a file that changes meanwhile nothing can be said. */
int inspect_image(const struct disk_file *file, const struct disk_writer *writer, time_t now,
                  struct report *report, struct error *err)
{
    struct stat before, after;
    if (stat(file->path, &before) < 0)
        return error_errno(err, "%s", file->path);
    if (look_into(file, writer, now, report, err) < 0)
        return -1;
    if (stat(file->path, &after) < 0)
        return error_errno(err, "%s", file->path);
    if (!same_state(&before, &after))
        return error_set(err, "%s: was changed while it was read", file->path);
    return 0;
}
