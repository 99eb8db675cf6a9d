#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/inspect/gather.h"
#include "builder/plan/plan.h"

enum { MANIFEST_MODE = 0644 };

/* It does not list itself. */
static void check_manifest_file(const struct inspection *in)
{
    struct error ignored = ERROR_INIT;
    struct disk_item item AUTO_ITEM = {.target = NULL};
    int found = in->view.writer->look(in->view.disk, TREE_MANIFEST, &item, &ignored);
    if (found > 0 && (item.mode != (S_IFREG | MANIFEST_MODE) || item.uid || item.gid))
        report_problem(in->report, "manifest", TREE_MANIFEST,
                       "is not a file of mode %04o that belongs to 0:0", MANIFEST_MODE);
}

/* Why it cannot be relied upon, or NULL. */
static const char *judge_manifest(const struct manifest *manifest)
{
    if (!manifest->genuine)
        return "was changed: it is not what nodebake wrote";
    return manifest->count ? NULL : "lists no files";
}

static void read_manifest(struct inspection *in)
{
    struct report *r = in->report;
    struct error why = ERROR_INIT;
    struct buffer text AUTO_BUFFER = buffer_heap();
    int found = inspect_read(in, TREE_MANIFEST, MANIFEST_MAX, &text, &why);
    if (found == 0)
        report_problem(r, "manifest", TREE_MANIFEST, "is missing: no file can be verified");
    if (found <= 0 || manifest_parse(text.data, text.len, &in->manifest, &why) < 0) {
        if (found)
            report_problem(r, "manifest", TREE_MANIFEST, "is damaged: no file can be verified (%s)",
                           why.text);
        return;
    }
    r->build = report_text(in->manifest.build, strlen(in->manifest.build));
    const char *problem = judge_manifest(&in->manifest);
    if (problem)
        report_problem(r, "manifest", TREE_MANIFEST, "%s", problem);
    check_manifest_file(in);
}

int gather_manifest(struct inspection *in, struct error *err)
{
    (void)err;
    in->report->baked = inspect_exists(in, TREE_MANIFEST) || inspect_exists(in, PATH_CONTRACT);
    if (in->report->baked)
        read_manifest(in);
    return 0;
}
