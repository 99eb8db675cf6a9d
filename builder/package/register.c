#include "builder/package/register.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"

#define INFO           "/var/lib/dpkg/info"
#define STATUS         "/var/lib/dpkg/status"
#define AUTO_INSTALLED "/var/lib/apt/extended_states"

bool register_knows(const char *control)
{
    static const char *const names[] = {"control", "md5sums", "conffiles", "triggers", "shlibs",
                                        "symbols", "preinst", "postinst",  "prerm",    "postrm"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(control, names[i]) == 0)
            return true;
    return false;
}

/* ---- info/ ---- */

/* Packages that can be installed for several machines at once have the machine in their files'
 * names. */
static char *info_path(const struct deb *deb, const char *kind)
{
    if (strcmp(deb->multi_arch, "same") == 0)
        return heap_printf(INFO "/%s:%s.%s", deb->name, deb->architecture, kind);
    return heap_printf(INFO "/%s.%s", deb->name, kind);
}

static int add_info(struct changes *changes, const struct deb *deb, const char *kind,
                    struct buffer *text, struct error *err)
{
    char *path AUTO_FREE = info_path(deb, kind);
    size_t len = text->len;
    return changes_add_text(changes, path, 0644, steal(text->data), len, err);
}

static int add_list(struct changes *changes, const struct deb *deb, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    buffer_puts(&text, "/.\n");
    for (size_t i = 0; i < deb->item_count; i++)
        buffer_printf(&text, "%s\n", deb->items[i].entry.path);
    return add_info(changes, deb, "list", &text, err);
}

/* dpkg makes them when the package brings none, and lists conffiles, too. */
static int add_md5sums(struct changes *changes, const struct deb *deb, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < deb->item_count; i++) {
        const struct deb_item *item = &deb->items[i];
        if (*item->md5)
            buffer_printf(&text, "%s  %s\n", item->md5, item->entry.path + 1);
    }
    return add_info(changes, deb, "md5sums", &text, err);
}

static int add_control(struct changes *changes, const struct deb *deb,
                       const struct deb_control *control, struct error *err)
{
    char *text = heap_array(control->len + 1, 1);
    memcpy(text, control->text, control->len);
    struct entry entry = {.path = info_path(deb, control->name),
                          .type = ENTRY_FILE,
                          .mode = control->mode,
                          .text = text,
                          .len = control->len};
    return changes_add(changes, entry, control->mtime, err);
}

static int add_infos(struct changes *changes, const struct deb *deb, struct error *err)
{
    if (add_list(changes, deb, err) < 0 ||
        (!deb_control(deb, "md5sums") && add_md5sums(changes, deb, err) < 0))
        return -1;
    for (size_t i = 0; i < deb->control_count; i++)
        if (strcmp(deb->controls[i].name, "control") != 0 &&
            add_control(changes, deb, &deb->controls[i], err) < 0)
            return -1;
    return 0;
}

/* ---- status ---- */

/* The order in which dpkg writes fields that it knows; others follow as they come. */
static const char *const fields[] = {
    "Package",      "Essential",      "Protected",   "Status",     "Priority",
    "Section",      "Installed-Size", "Origin",      "Maintainer", "Bugs",
    "Architecture", "Multi-Arch",     "Source",      "Version",    "Replaces",
    "Provides",     "Depends",        "Pre-Depends", "Recommends", "Suggests",
    "Breaks",       "Conflicts",      "Enhances",    "Conffiles",  "Description",
};

static bool is_known(struct dpkg_text name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (name.len == strlen(fields[i]) && strncasecmp(name.at, fields[i], name.len) == 0)
            return true;
    return false;
}

static const char *md5_of(const struct deb *deb, struct dpkg_text path)
{
    for (size_t i = 0; i < deb->item_count; i++)
        if (dpkg_text_is(path, deb->items[i].entry.path))
            return *deb->items[i].md5 ? deb->items[i].md5 : NULL;
    return NULL;
}

static int add_conffiles(const struct deb *deb, struct buffer *out, struct error *err)
{
    const struct deb_control *control = deb_control(deb, "conffiles");
    struct dpkg_text rest = {"", 0}, line;
    if (!control || control->len == 0)
        return 0;
    rest = (struct dpkg_text){control->text, control->len};
    buffer_puts(out, "Conffiles:\n");
    while (dpkg_next_line(&rest, &line)) {
        const char *md5 = md5_of(deb, line);
        if (line.len == 0)
            continue;
        if (!md5)
            return error_set(err, "%s: it lists the conffile %.*s and does not unpack it",
                             deb->path, (int)line.len, line.at);
        buffer_printf(out, " %.*s %s\n", (int)line.len, line.at, md5);
    }
    return 0;
}

int register_stanza(const struct deb *deb, struct buffer *out, struct error *err)
{
    const struct deb_control *control = deb_control(deb, "control");
    if (!control)
        return error_set(err, "%s: no control file", deb->path);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        struct dpkg_text value = deb_field(deb, fields[i]);
        if (strcmp(fields[i], "Status") == 0)
            buffer_puts(out, "Status: install ok installed\n");
        else if (strcmp(fields[i], "Conffiles") == 0 && add_conffiles(deb, out, err) < 0)
            return -1;
        else if (value.len)
            buffer_printf(out, "%s: %.*s\n", fields[i], (int)value.len, value.at);
    }
    struct dpkg_text rest = {control->text, control->len}, name, value;
    while (dpkg_next_field(&rest, &name, &value))
        if (!is_known(name) && value.len)
            buffer_printf(out, "%.*s: %.*s\n", (int)name.len, name.at, (int)value.len, value.at);
    buffer_puts(out, "\n");
    return 0;
}

/* The first of the packages (by name) that is not in the database yet and stands before `limit`. */
static const struct deb *next_deb(const struct choices *choices, const char *after,
                                  struct dpkg_text limit)
{
    const struct deb *first = NULL;
    char *before AUTO_FREE = limit.at ? heap_printf("%.*s", (int)limit.len, limit.at) : NULL;
    for (size_t i = 0; i < choices->count; i++) {
        const struct deb *deb = choices->items[i].deb;
        if (strcmp(deb->name, after) > 0 && (!before || strcmp(deb->name, before) < 0) &&
            (!first || strcmp(deb->name, first->name) < 0))
            first = deb;
    }
    return first;
}

static int add_before(const struct choices *choices, const char **last, struct dpkg_text limit,
                      struct buffer *out, struct error *err)
{
    const struct deb *deb;
    while ((deb = next_deb(choices, *last, limit)) != NULL) {
        if (register_stanza(deb, out, err) < 0)
            return -1;
        *last = deb->name;
    }
    return 0;
}

/* dpkg keeps its database in the order of the names. */
static int add_status(struct changes *changes, struct dpkg_text status,
                      const struct choices *choices, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    struct dpkg_text stanza;
    const char *last = "";
    while (dpkg_next(&status, &stanza)) {
        if (add_before(choices, &last, dpkg_field(stanza, "Package"), &text, err) < 0)
            return -1;
        buffer_printf(&text, "%.*s\n\n", (int)stanza.len, stanza.at);
    }
    if (add_before(choices, &last, (struct dpkg_text){NULL, 0}, &text, err) < 0)
        return -1;
    size_t len = text.len;
    return changes_add_text(changes, STATUS, 0644, steal(text.data), len, err);
}

/* ---- apt ---- */

/* `apt autoremove` may take what nobody asked for. apt writes its own machine for "all", too. */
static int add_states(struct changes *changes, const struct choices *choices, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    size_t before;
    if (changes_read(changes, AUTO_INSTALLED, &text, err) < 0)
        return -1;
    before = text.len;
    for (size_t i = 0; i < choices->count; i++)
        if (!choices->items[i].wanted)
            buffer_printf(&text, "Package: %s\nArchitecture: amd64\nAuto-Installed: 1\n\n",
                          choices->items[i].deb->name);
    size_t len = text.len;
    if (len == before)
        return 0;
    return changes_add_text(changes, AUTO_INSTALLED, 0644, steal(text.data), len, err);
}

int register_packages(struct changes *changes, struct dpkg_text status,
                      const struct choices *choices, struct error *err)
{
    for (size_t i = 0; i < choices->count; i++)
        if (add_infos(changes, choices->items[i].deb, err) < 0)
            return -1;
    if (add_status(changes, status, choices, err) < 0)
        return -1;
    return add_states(changes, choices, err);
}
