#include "builder/image/glob.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"

enum { DEPTH_MAX = 32 };

/* The path so far, and what of the pattern is still to come ("" or it begins with a slash). */
struct step {
    const char *path, *rest;
    bool all; /* behind the end of the pattern: what lies below, too */
    unsigned depth;
};

static int walk(struct glob *glob, struct step step, struct error *err);

static int enter(struct glob *glob, struct step step, const char *name, struct error *err)
{
    char *path AUTO_FREE = heap_printf("%s/%s", step.path, name);
    step.path = path;
    step.depth++;
    return walk(glob, step, err);
}

/* Goes on with the names of the directory that match a part of the pattern; "" matches all. */
static int enter_matches(struct glob *glob, struct step step, const char *part, struct error *err)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    const struct disk_view *view = glob->view;
    int result = view->writer->list(view->disk, *step.path ? step.path : "/", &names, err);
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        if (*part && fnmatch(part, name, FNM_PERIOD) != 0)
            continue;
        struct error why = ERROR_INIT;
        if (enter(glob, step, name, &why) < 0) {
            *err = why;
            result = -1;
        }
    }
    return result < 0 ? -1 : 0;
}

/* 1 and *item set, 0 when there is nothing, or -1. */
static int look(struct glob *glob, const char *path, struct disk_item *item, struct error *err)
{
    if (!glob->left)
        return error_set(err, "there are too many files");
    glob->left--;
    return glob->view->writer->look(glob->view->disk, path, item, err);
}

/* At the end of the pattern; of `**` only what lies in the directory is meant. */
static int visit(struct glob *glob, struct step step, bool itself, struct error *err)
{
    struct disk_item item AUTO_ITEM = {.target = NULL};
    int found = look(glob, step.path, &item, err);
    if (found <= 0)
        return found;
    bool directory = S_ISDIR(item.mode);
    if (itself && (!directory || glob->directories))
        glob->found(glob->ctx, step.path, &item);
    if (!directory || !step.all || step.depth >= DEPTH_MAX)
        return 0;
    return enter_matches(glob, step, "", err);
}

static int walk(struct glob *glob, struct step step, struct error *err)
{
    if (!*step.rest)
        return visit(glob, step, true, err);
    if (strcmp(step.rest, "/**") == 0) {
        step.rest = "";
        step.all = true;
        return visit(glob, step, false, err);
    }
    size_t len = strcspn(step.rest + 1, "/");
    char *part AUTO_FREE = heap_printf("%.*s", (int)len, step.rest + 1);
    step.rest += 1 + len;
    if (!strpbrk(part, "*?["))
        return enter(glob, step, part, err);
    return enter_matches(glob, step, part, err);
}

int glob_walk(struct glob *glob, const char *pattern, struct error *err)
{
    return walk(glob, (struct step){.path = "", .rest = pattern}, err);
}
