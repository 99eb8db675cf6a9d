/* What lies in nodebake's own folder and is in no manifest: it came there later. */
#include "builder/image/glob.h"
#include "builder/inspect/gather.h"
#include "builder/plan/plan.h"

#include <string.h>

enum { NAMES_MAX = 10 * 1000, UNLISTED_MAX = 100 };

/* How many may still be reported. */
struct search {
    struct inspection *in;
    size_t left;
};

static void note(void *ctx, const char *path, const struct disk_item *item)
{
    struct search *s = ctx;
    (void)item;
    if (!s->left || strcmp(path, TREE_MANIFEST) == 0 || manifest_find(&s->in->manifest, path))
        return;
    s->left--;
    report_problem(s->in->report, "unlisted", path, "is not in the manifest");
}

int gather_unlisted(struct inspection *in, struct error *err)
{
    struct search search = {.in = in, .left = UNLISTED_MAX};
    struct glob glob = {.view = &in->view, .found = note, .ctx = &search, .left = NAMES_MAX};
    if (!in->manifest.count)
        return 0;
    return glob_walk(&glob, PATH_HOME "/**", err);
}
