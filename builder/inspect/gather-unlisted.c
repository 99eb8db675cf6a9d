/* What lies in nodebake's own folder and is in no manifest: it came there later. */
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/inspect/gather.h"
#include "builder/plan/plan.h"

enum { DEPTH_MAX = 16, UNLISTED_MAX = 100 };

static int walk(struct inspection *in, const char *dir, unsigned depth, struct error *err);

static int check(struct inspection *in, const char *path, unsigned depth, struct error *err)
{
    struct disk_item item AUTO_ITEM = {.target = NULL};
    bool listed = manifest_find(&in->manifest, path) || strcmp(path, TREE_MANIFEST) == 0;
    int found = in->view.writer->look(in->view.disk, path, &item, err);
    if (found <= 0)
        return found;
    if (S_ISDIR(item.mode) && depth < DEPTH_MAX)
        return walk(in, path, depth + 1, err);
    if (!listed && in->report->problem_count < UNLISTED_MAX)
        report_problem(in->report, "unlisted", path, "is not in the manifest");
    return 0;
}

static int walk(struct inspection *in, const char *dir, unsigned depth, struct error *err)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    if (in->view.writer->list(in->view.disk, dir, &names, err) < 0)
        return -1;
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        char *path AUTO_FREE = heap_printf("%s/%s", dir, name);
        if (check(in, path, depth, err) < 0)
            return -1;
    }
    return 0;
}

int gather_unlisted(struct inspection *in, struct error *err)
{
    if (!in->manifest.count)
        return 0;
    return walk(in, PATH_HOME, 0, err);
}
