#include "builder/package/direct.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/package/alternatives.h"
#include "builder/package/ldcache.h"
#include "builder/package/owner.h"
#include "builder/package/register.h"
#include "builder/package/scripts.h"
#include "builder/package/triggers.h"

/* What the planning needs at hand. */
struct planning {
    struct changes *changes;
    const struct choices *choices;
    struct dpkg_text status;
    const char *scratch;
    struct buffer diversions, overrides, users, groups; /* files of the system */
    struct script_actions actions;
    bool ldconfig;
    struct error *err;
};

static int refuse(const struct planning *p, const struct deb *deb)
{
    error_context(p->err, "%s", deb->name);
    return 0;
}

/* ---- what can be seen before anything is unpacked ---- */

/* A package that was there before has left files, and its version for the scripts. */
static bool is_new(const struct planning *p, const struct deb *deb)
{
    struct dpkg_text rest = p->status, stanza;
    while (dpkg_next(&rest, &stanza))
        if (dpkg_text_is(dpkg_field(stanza, "Package"), deb->name))
            return false;
    return true;
}

static bool conffiles_plain(const struct deb *deb)
{
    const struct deb_control *control = deb_control(deb, "conffiles");
    struct dpkg_text rest = {control ? control->text : "", control ? control->len : 0}, line;
    while (dpkg_next_line(&rest, &line))
        if (line.len && *line.at != '/')
            return false;
    return true;
}

static int check_controls(const struct planning *p, const struct deb *deb)
{
    for (size_t i = 0; i < deb->control_count; i++)
        if (!register_knows(deb->controls[i].name)) {
            error_set(p->err, "it brings dpkg a file %s", deb->controls[i].name);
            return 0;
        }
    if (!conffiles_plain(deb)) {
        error_set(p->err, "its conffiles hold more than paths");
        return 0;
    }
    return 1;
}

static int check_choice(const struct planning *p, const struct choice *choice)
{
    if (choice->upgrade || !is_new(p, choice->deb)) {
        error_set(p->err, "a version of it is, or was, installed in the base");
        return 0;
    }
    return check_controls(p, choice->deb);
}

/* The names in info/ are those of this format. */
static int check_format(const struct planning *p)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    int found = changes_read(p->changes, "/var/lib/dpkg/info/format", &text, p->err);
    if (found < 0)
        return -1;
    if (strcmp(text.data, "1\n") == 0)
        return 1;
    error_set(p->err, "the base's dpkg database has another format than 1");
    return 0;
}

static int read_system(struct planning *p)
{
    const struct changes *changes = p->changes;
    return changes_read(changes, "/var/lib/dpkg/diversions", &p->diversions, p->err) < 0 ||
                   changes_read(changes, "/var/lib/dpkg/statoverride", &p->overrides, p->err) < 0 ||
                   changes_read(changes, "/etc/passwd", &p->users, p->err) < 0 ||
                   changes_read(changes, "/etc/group", &p->groups, p->err) < 0
               ? -1
               : 0;
}

/* ---- files ---- */

/* Is the path diverted, or its owner and mode set by the administrator? Lines of the first file are
 * paths and packages, lines of the second end with a path. */
static bool is_special(const struct planning *p, const char *path)
{
    const struct buffer *texts[] = {&p->diversions, &p->overrides};
    size_t n = strlen(path);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct dpkg_text rest = {texts[i]->data, texts[i]->len}, line;
        while (dpkg_next_line(&rest, &line))
            if (line.len >= n && memcmp(line.at + line.len - n, path, n) == 0 &&
                (line.len == n || line.at[line.len - n - 1] == ' '))
                return true;
    }
    return false;
}

static struct entry entry_of(const struct planning *p, const struct deb *deb,
                             const struct deb_item *item)
{
    const struct entry *from = &item->entry;
    struct dpkg_text users = {p->users.data, p->users.len};
    struct dpkg_text groups = {p->groups.data, p->groups.len};
    return (struct entry){.path = heap_copy(from->path),
                          .type = from->type,
                          .mode = from->mode,
                          .uid = owner_number(users, item->user, from->uid),
                          .gid = owner_number(groups, item->group, from->gid),
                          .target = heap_copy(from->target),
                          .host = heap_copy(from->host),
                          .source = heap_copy(deb->name)};
}

/* Directories that are there stay as they are; anything else that is there is for dpkg to judge. */
static int add_item(const struct planning *p, const struct deb *deb, const struct deb_item *item)
{
    const struct entry *entry = &item->entry;
    if (is_special(p, entry->path)) {
        error_set(p->err, "%s is diverted or overridden in the base", entry->path);
        return 0;
    }
    const struct change *other = changes_find(p->changes, entry->path);
    int found = changes_exists(p->changes, entry->path, p->err);
    if (found < 0)
        return -1;
    if (found && entry->type == ENTRY_DIR && (!other || other->entry.type == ENTRY_DIR))
        return 1;
    if (found) {
        error_set(p->err, "%s is in %s already", entry->path,
                  other ? other->entry.source : "the base");
        return 0;
    }
    return changes_add(p->changes, entry_of(p, deb, item), item->mtime, p->err) < 0 ? -1 : 1;
}

static int add_items(const struct planning *p, const struct deb *deb)
{
    int result = 1;
    for (size_t i = 0; i < deb->item_count && result > 0; i++)
        result = add_item(p, deb, &deb->items[i]);
    return result;
}

/* ---- scripts ---- */

static int exists(void *ctx, const char *path, struct error *err)
{
    const struct planning *p = ctx;
    return changes_exists(p->changes, path, err);
}

static int judge(struct planning *p, const struct deb *deb, const char *script,
                 const char *const *args, size_t n, struct script_actions *actions)
{
    const struct deb_control *control = deb_control(deb, script);
    struct script_system system = {exists, p};
    if (!control)
        return 1;
    int result = script_judge(control->text, control->len, args, n, &system, actions, p->err);
    return result > 0 ? 1 : (error_context(p->err, "%s", script), result);
}

/* dpkg calls it so before it unpacks a package that is new. */
static int judge_preinst(struct planning *p, const struct deb *deb)
{
    static const char *const args[] = {"install"};
    struct script_actions actions AUTO_ACTIONS = {0};
    int result = judge(p, deb, "preinst", args, ARRAY_LEN(args), &actions);
    if (result > 0 && actions.count) {
        error_set(p->err, "preinst: it does more than to look");
        return 0;
    }
    return result;
}

static int add_file(struct planning *p, const struct script_action *action)
{
    return changes_add_text(p->changes, action->path, 0644, heap_copy(action->text),
                            strlen(action->text), p->err);
}

static int judge_postinst(struct planning *p, const struct deb *deb)
{
    static const char *const args[] = {"configure", ""};
    size_t before = p->actions.count;
    int result = judge(p, deb, "postinst", args, ARRAY_LEN(args), &p->actions);
    for (size_t i = before; i < p->actions.count && result > 0; i++) {
        const struct script_action *action = &p->actions.items[i];
        p->ldconfig = p->ldconfig || action->kind == SCRIPT_LDCONFIG;
        if (action->kind == SCRIPT_FILE && add_file(p, action) < 0)
            return -1;
    }
    return result;
}

/* ---- all of it ---- */

static int unpack(struct planning *p, size_t i)
{
    struct deb *deb = p->choices->items[i].deb;
    char *prefix AUTO_FREE = heap_printf("%zu-", i);
    int result = judge_preinst(p, deb);
    if (result > 0)
        result = deb_unpack(deb, p->scratch, prefix, p->err) < 0 ? -1 : add_items(p, deb);
    if (result > 0)
        result = triggers_judge(p->changes, deb, &p->ldconfig, p->err);
    return result;
}

/* A step for each of the packages. */
static int each(struct planning *p, int (*step)(struct planning *p, size_t i))
{
    for (size_t i = 0; i < p->choices->count; i++) {
        int result = step(p, i);
        if (result == 0)
            return refuse(p, p->choices->items[i].deb);
        if (result < 0)
            return -1;
    }
    return 1;
}

static int check(struct planning *p, size_t i)
{
    return check_choice(p, &p->choices->items[i]);
}

static int configure(struct planning *p, size_t i)
{
    return judge_postinst(p, p->choices->items[i].deb);
}

static int plan(struct planning *p)
{
    int result = check_format(p);
    if (result > 0 && read_system(p) < 0)
        return -1;
    if (result > 0)
        result = each(p, check);
    if (result > 0)
        result = each(p, unpack);
    if (result > 0)
        result = each(p, configure);
    if (result > 0) {
        char *folder AUTO_FREE = heap_printf("%s/alternatives", p->scratch);
        result = alternatives_run(p->changes, &p->actions, folder, p->err);
    }
    if (result > 0 && p->ldconfig)
        result = ldcache_update(p->changes, p->err);
    if (result > 0)
        result = register_packages(p->changes, p->status, p->choices, p->err) < 0 ? -1 : 1;
    return result;
}

int direct_plan(struct changes *changes, const struct choices *choices, struct dpkg_text status,
                const char *scratch, struct error *err)
{
    struct planning p = {.changes = changes,
                         .choices = choices,
                         .status = status,
                         .scratch = scratch,
                         .diversions = buffer_heap(),
                         .overrides = buffer_heap(),
                         .users = buffer_heap(),
                         .groups = buffer_heap(),
                         .err = err};
    int result = plan(&p);
    buffer_free(&p.diversions);
    buffer_free(&p.overrides);
    buffer_free(&p.users);
    buffer_free(&p.groups);
    script_actions_free(&p.actions);
    return result;
}
