#include "builder/package/alternatives.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/package/group.h"
#include "builder/process.h"
#include "common/file.h"

#define RECORDS "/var/lib/dpkg/alternatives"
#define LINKS   "/etc/alternatives"

enum { RECORD_MAX = 256 * 1024 };

/* What the work is done with. */
struct alternatives {
    struct changes *changes;
    const char *root; /* the folder that stands for the system's root */
    struct error *err;
};

/* A path inside the folder, whose directories are made. */
static char *inside(const struct alternatives *a, const char *path)
{
    char *full = heap_printf("%s%s", a->root, path);
    for (char *p = full + strlen(a->root) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        mkdir(full, 0700); /* a failure is noticed by whoever uses the path */
        *p = '/';
    }
    return full;
}

static int put_text(const struct alternatives *a, const char *path, const char *text, size_t len)
{
    char *full AUTO_FREE = inside(a, path);
    return file_stage(AT_FDCWD, full, text, len, 0644, geteuid(), getegid(), a->err);
}

static int put_link(const struct alternatives *a, const char *path, const char *target)
{
    char *full AUTO_FREE = inside(a, path);
    if (unlink(full) < 0 && errno != ENOENT)
        return error_errno(a->err, "%s", full);
    return symlink(target, full) < 0 ? error_errno(a->err, "%s", full) : 0;
}

/* An empty file where the system has, or will have, something. */
static int put_if_there(const struct alternatives *a, const char *path)
{
    struct stat st;
    char *full AUTO_FREE = inside(a, path);
    int found = *path ? changes_exists(a->changes, path, a->err) : 0;
    if (found <= 0 || lstat(full, &st) == 0)
        return found < 0 ? -1 : 0;
    return put_text(a, path, "", 0);
}

/* ---- what there is ---- */

/* The links as update-alternatives leaves them in automatic mode. */
static int put_group(const struct alternatives *a, const struct group *group)
{
    for (size_t i = 0; i < group->path_count; i++)
        if (put_if_there(a, group->paths[i]) < 0)
            return -1;
    for (size_t i = 0; i < group->link_count; i++) {
        const struct group_link *l = &group->links[i];
        char *path AUTO_FREE = heap_printf(LINKS "/%s", l->name);
        if (l->path && *l->path &&
            (put_link(a, path, l->path) < 0 || put_link(a, l->link, path) < 0))
            return -1;
    }
    return 0;
}

static bool has_link(const struct group *group, const char *link)
{
    for (size_t i = 0; group && i < group->link_count; i++)
        if (strcmp(group->links[i].link, link) == 0)
            return true;
    return false;
}

/* argv of --install is: --install LINK NAME PATH PRIORITY [--slave LINK NAME PATH]… */
static int put_call(const struct alternatives *a, char *const *argv, const struct group *group)
{
    for (size_t i = 1; argv[0] && argv[i] && strcmp(argv[0], "--install") == 0;) {
        int found = has_link(group, argv[i]) ? 0 : changes_exists(a->changes, argv[i], a->err);
        if (found < 0 || put_if_there(a, argv[i + 2]) < 0)
            return -1;
        if (found) {
            error_set(a->err, "%s is there and is no link of update-alternatives", argv[i]);
            return 0;
        }
        i += i == 1 ? 5 : 4;
    }
    return 1;
}

static const char *group_name(char *const *argv)
{
    return strcmp(argv[0], "--install") == 0 ? argv[2] : argv[1];
}

/* Fills the folder with what a call may ask for: 1, 0 or -1. */
static int prepare(const struct alternatives *a, char *const *argv)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    struct group group AUTO_GROUP = {0};
    char *record AUTO_FREE = heap_printf(RECORDS "/%s", group_name(argv));
    char *copy AUTO_FREE = inside(a, record);
    int found = changes_read(a->changes, record, &text, a->err);
    if (found <= 0)
        return found < 0 ? -1 : put_call(a, argv, NULL);
    if (!group_read((struct dpkg_text){text.data, text.len}, group_name(argv), &group) ||
        !group.automatic) {
        error_set(a->err, "the alternatives %s of the base are set by hand, or damaged",
                  group_name(argv));
        return 0;
    }
    if (access(copy, F_OK) < 0 &&
        (put_text(a, record, text.data, text.len) < 0 || put_group(a, &group) < 0))
        return -1;
    return put_call(a, argv, &group);
}

/* ---- the tool ---- */

/* Other systems have a tool of this name with another record. */
static bool tool_known(void)
{
    static const char *const argv[] = {"update-alternatives", "--version", NULL};
    struct error ignored = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct process tool = {.argv = argv, .out = &out};
    return process_run(&tool, NULL, &ignored) == 0 &&
           strstr(out.data, "Debian update-alternatives") != NULL;
}

static int call(const struct alternatives *a, char *const *argv)
{
    enum { OPTIONS = 6 };
    static const char *const env[] = {"LC_ALL=C", NULL};
    size_t n = 0;
    while (argv[n])
        n++;
    const char **all AUTO_FREE = heap_array(n + OPTIONS + 1, sizeof *all);
    const char *const options[OPTIONS] = {
        "update-alternatives", "--root", a->root, "--log", "/log", "--quiet"};
    memcpy(all, options, sizeof options);
    for (size_t i = 0; i < n; i++)
        all[OPTIONS + i] = argv[i];
    struct process tool = {.argv = all, .env = env};
    return process_run(&tool, NULL, a->err);
}

/* ---- what came of it ---- */

static bool link_target(const struct alternatives *a, const char *path, char target[PATH_MAX])
{
    char *full AUTO_FREE = inside(a, path);
    ssize_t n = readlink(full, target, PATH_MAX - 1);
    target[n < 0 ? 0 : n] = '\0';
    return n > 0;
}

static int add_link(const struct alternatives *a, const char *path)
{
    char target[PATH_MAX];
    if (!link_target(a, path, target))
        return 0;
    struct entry entry = {
        .path = heap_copy(path), .type = ENTRY_LINK, .mode = 0777, .target = heap_copy(target)};
    return changes_add(a->changes, entry, a->changes->mtime, a->err);
}

static int add_group(const struct alternatives *a, const struct group *group)
{
    for (size_t i = 0; i < group->link_count; i++) {
        char *path AUTO_FREE = heap_printf(LINKS "/%s", group->links[i].name);
        if (add_link(a, path) < 0 || add_link(a, group->links[i].link) < 0)
            return -1;
    }
    return 0;
}

/* Is every link that the old record led to still there? */
static bool keeps_links(const struct alternatives *a, const struct group *old)
{
    char target[PATH_MAX];
    for (size_t i = 0; i < old->link_count; i++)
        if (old->links[i].path && *old->links[i].path &&
            !link_target(a, old->links[i].link, target))
            return false;
    return true;
}

/* Turns a group's new state into changes: 1, 0 or -1. */
static int collect(const struct alternatives *a, const char *name)
{
    struct buffer before AUTO_BUFFER = buffer_heap(), after AUTO_BUFFER = buffer_heap();
    struct group old AUTO_GROUP = {0}, new AUTO_GROUP = {0};
    char *record AUTO_FREE = heap_printf(RECORDS "/%s", name);
    char *full AUTO_FREE = inside(a, record);
    if (changes_find(a->changes, record))
        return 1;
    int found = changes_read(a->changes, record, &before, a->err);
    if (found < 0 ||
        (access(full, F_OK) == 0 && file_read(AT_FDCWD, full, RECORD_MAX, &after, a->err) < 0))
        return -1;
    if (!found && after.len == 0)
        return 1;
    if (found && !group_read((struct dpkg_text){before.data, before.len}, name, &old))
        return error_set(a->err, "%s: damaged", record);
    if (!group_read((struct dpkg_text){after.data, after.len}, name, &new) ||
        !keeps_links(a, &old)) {
        error_set(a->err, "the alternatives %s would lose links", name);
        return 0;
    }
    if (add_group(a, &new) < 0)
        return -1;
    size_t len = after.len;
    return changes_add_text(a->changes, record, 0644, steal(after.data), len, a->err) < 0 ? -1 : 1;
}

int alternatives_run(struct changes *changes, const struct script_actions *actions,
                     const char *scratch, struct error *err)
{
    struct alternatives a = {changes, scratch, err};
    bool known = false;
    int result = 1;
    if (mkdir(scratch, 0700) < 0)
        return error_errno(err, "create %s", scratch);
    for (size_t i = 0; i < actions->count && result > 0; i++) {
        if (actions->items[i].kind != SCRIPT_ALTERNATIVES)
            continue;
        if (!known && !(known = tool_known())) {
            error_set(err, "this machine has not Debian's update-alternatives");
            return 0;
        }
        result = prepare(&a, actions->items[i].argv);
    }
    if (known) {
        char *links AUTO_FREE = inside(&a, LINKS "/-"),
                    *records AUTO_FREE = inside(&a, RECORDS "/-");
    }
    for (size_t i = 0; i < actions->count && result > 0; i++)
        if (actions->items[i].kind == SCRIPT_ALTERNATIVES && call(&a, actions->items[i].argv) < 0)
            result = -1;
    for (size_t i = 0; i < actions->count && result > 0; i++)
        if (actions->items[i].kind == SCRIPT_ALTERNATIVES)
            result = collect(&a, group_name(actions->items[i].argv));
    return result;
}
