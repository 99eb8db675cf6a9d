#include "builder/inspect/glob.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"

enum { DEPTH_MAX = 32 };

/* The path so far, and what of the pattern is still to come ("" or it begins with a slash). */
struct step {
    const char *path, *rest;
    unsigned depth;
};

static int walk(struct glob *glob, struct step step, struct error *err);

static int enter(struct glob *glob, struct step step, const char *name, const char *rest,
                 struct error *err)
{
    char *path AUTO_FREE = heap_printf("%s/%s", step.path, name);
    return walk(glob, (struct step){path, rest, step.depth + 1}, err);
}

/* Goes on with the names of the directory that match a part of the pattern; "" matches all. */
static int enter_matches(struct glob *glob, struct step step, const char *part, const char *rest,
                         struct error *err)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    const struct disk_view *view = glob->view;
    int result = view->writer->list(view->disk, *step.path ? step.path : "/", &names, err);
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        if (*part && fnmatch(part, name, FNM_PERIOD) != 0)
            continue;
        struct error why = ERROR_INIT;
        if (enter(glob, step, name, rest, &why) < 0) {
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

static int visit(struct glob *glob, struct step step, bool deep, struct error *err)
{
    struct disk_item item AUTO_ITEM = {.target = NULL};
    int found = look(glob, step.path, &item, err);
    if (found <= 0)
        return found;
    if (!S_ISDIR(item.mode))
        glob->found(glob->ctx, step.path, &item);
    else if (deep && step.depth < DEPTH_MAX)
        return enter_matches(glob, step, "", "/**", err);
    return 0;
}

static int walk(struct glob *glob, struct step step, struct error *err)
{
    if (!*step.rest)
        return visit(glob, step, false, err);
    if (strcmp(step.rest, "/**") == 0)
        return visit(glob, step, true, err);
    size_t len = strcspn(step.rest + 1, "/");
    char *part AUTO_FREE = heap_printf("%.*s", (int)len, step.rest + 1);
    const char *rest = step.rest + 1 + len;
    if (!strpbrk(part, "*?["))
        return enter(glob, step, part, rest, err);
    return enter_matches(glob, step, part, rest, err);
}

int glob_walk(struct glob *glob, const char *pattern, struct error *err)
{
    return walk(glob, (struct step){"", pattern, 0}, err);
}
