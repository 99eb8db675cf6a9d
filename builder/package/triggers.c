#include "builder/package/triggers.h"

#include <string.h>

#include "builder/heap.h"

#define TRIGGERS "/var/lib/dpkg/triggers"

/* Packages of which it is known what they do when they are triggered. */
static const struct {
    const char *package;
    bool ldconfig;
} known[] = {
    {"libc-bin", true},
    {"man-db", false}, /* brings its index up to date, as its daily timer does, too */
    {"dbus", false},   /* tells a running bus, of which there is none, to read its files */
};

/* 1 or 0: "libc-bin", "man-db/noawait", "libglib2.0-0:amd64". */
static int judge_package(struct dpkg_text package, const char *trigger, bool *ldconfig,
                         struct error *err)
{
    size_t n = 0;
    while (n < package.len && package.at[n] != '/' && package.at[n] != ':')
        n++;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (dpkg_text_is((struct dpkg_text){package.at, n}, known[i].package)) {
            *ldconfig = *ldconfig || known[i].ldconfig;
            return 1;
        }
    error_set(err, "it triggers %.*s of the base by %s", (int)n, package.at, trigger);
    return 0;
}

/* Packages that are interested in a trigger stand in a file of its name, a line each. */
static int judge_activation(const struct changes *changes, const char *trigger, bool *ldconfig,
                            struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    char *path AUTO_FREE = heap_printf("%s/%s", TRIGGERS, trigger);
    if (strchr(trigger, '/') || !tree_path_clean(path)) {
        error_set(err, "it activates the trigger %.100s", trigger);
        return 0;
    }
    int result = changes_read(changes, path, &text, err);
    if (result <= 0)
        return result < 0 ? -1 : 1;
    struct dpkg_text rest = {text.data, text.len}, line;
    while (result > 0 && dpkg_next_line(&rest, &line))
        if (line.len)
            result = judge_package(line, trigger, ldconfig, err);
    return result;
}

/* A line of the package's file `triggers`: "activate-noawait ldconfig". */
static int judge_line(const struct changes *changes, struct dpkg_text line, bool *ldconfig,
                      struct error *err)
{
    char *text AUTO_FREE = heap_printf("%.*s", (int)line.len, line.at);
    char *rest = text;
    text[strcspn(text, "#")] = '\0';
    const char *directive = strtok_r(rest, " \t\r", &rest);
    const char *trigger = directive ? strtok_r(rest, " \t\r", &rest) : NULL;
    if (!directive)
        return 1;
    if (trigger &&
        (strcmp(directive, "activate") == 0 || strcmp(directive, "activate-noawait") == 0 ||
         strcmp(directive, "activate-await") == 0))
        return judge_activation(changes, trigger, ldconfig, err);
    error_set(err, "its triggers hold '%s', which is not only an activation", directive);
    return 0;
}

static bool below(const char *path, struct dpkg_text folder)
{
    return strncmp(path, folder.at, folder.len) == 0 &&
           (path[folder.len] == '/' || path[folder.len] == '\0');
}

static bool unpacks_below(const struct deb *deb, struct dpkg_text folder)
{
    for (size_t i = 0; i < deb->item_count; i++)
        if (below(deb->items[i].entry.path, folder))
            return true;
    return false;
}

/* Triggers that are paths: "/usr/share/man man-db/noawait" is set off by any file below. */
static int judge_files(const struct changes *changes, const struct deb *deb, bool *ldconfig,
                       struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    int result = changes_read(changes, TRIGGERS "/File", &text, err);
    if (result <= 0)
        return result < 0 ? -1 : 1;
    struct dpkg_text rest = {text.data, text.len}, line;
    while (result > 0 && dpkg_next_line(&rest, &line)) {
        const char *space = line.len ? memchr(line.at, ' ', line.len) : NULL;
        if (!space)
            continue;
        struct dpkg_text folder = {line.at, (size_t)(space - line.at)};
        struct dpkg_text package = {space + 1, line.len - folder.len - 1};
        char *name AUTO_FREE = heap_printf("%.*s", (int)folder.len, folder.at);
        if (unpacks_below(deb, folder))
            result = judge_package(package, name, ldconfig, err);
    }
    return result;
}

int triggers_judge(const struct changes *changes, const struct deb *deb, bool *ldconfig,
                   struct error *err)
{
    const struct deb_control *control = deb_control(deb, "triggers");
    int result = 1;
    if (control) {
        struct dpkg_text rest = {control->text, control->len}, line;
        while (result > 0 && dpkg_next_line(&rest, &line))
            result = judge_line(changes, line, ldconfig, err);
    }
    return result > 0 ? judge_files(changes, deb, ldconfig, err) : result;
}
