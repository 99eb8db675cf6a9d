#include "builder/image/base-units.h"

#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"

#define UNITS_OWN "/etc/systemd/system"

/* Where systemd looks, the most important folder first. On a merged /usr the last two are one. */
static const char *const folders[] = {UNITS_OWN, "/usr/local/lib/systemd/system",
                                      "/usr/lib/systemd/system", "/lib/systemd/system"};

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);
    return len > n && strcmp(text + len - n, end) == 0;
}

static bool names_unit(const char *name)
{
    static const char *const suffixes[] = {".automount", ".mount", ".path",   ".service", ".slice",
                                           ".socket",    ".swap",  ".target", ".timer"};
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (ends_in(name, suffixes[i]))
            return true;
    return false;
}

/* Notes the path if it is a symbolic link: 1, 0 or -1. */
static int read_link(const struct disk_writer *writer, struct disk *disk, const char *path,
                     struct base *base, struct error *err)
{
    struct disk_item item AUTO_ITEM = {0};
    int found = writer->look(disk, path, &item, err);
    if (found < 0)
        return -1;
    if (!found || !S_ISLNK(item.mode))
        return 0;
    *APPEND(base->links, base->link_count, base->link_cap) =
        (struct base_link){heap_copy(path), heap_copy(item.target)};
    return 1;
}

static int read_links(const struct disk_writer *writer, struct disk *disk, const char *folder,
                      struct base *base, struct error *err)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    if (writer->list(disk, folder, &names, err) < 0)
        return -1;
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        char *path AUTO_FREE = heap_printf("%s/%s", folder, name);
        if (read_link(writer, disk, path, base, err) < 0)
            return -1;
    }
    return 0;
}

/* A link in /etc is a mask, or another name, unless it has the name of the file. */
static bool is_unit(const struct base *base, const char *path)
{
    const char *target = base_link(base, path);
    return !target || (strcmp(target, "/dev/null") != 0 && ends_in(target, strrchr(path, '/')));
}

static const char *find_file(const struct base *base, const char *file)
{
    for (size_t i = 0; i < base->units.count; i++)
        if (strcmp(strrchr(base->units.items[i], '/') + 1, file) == 0)
            return base->units.items[i];
    return NULL;
}

/* A folder that holds units has also folders of links, and of drop-ins. */
static int read_folder(const struct disk_writer *writer, struct disk *disk, const char *folder,
                       struct base *base, struct error *err)
{
    bool own = strcmp(folder, UNITS_OWN) == 0;
    struct buffer names AUTO_BUFFER = buffer_heap();
    if (writer->list(disk, folder, &names, err) < 0)
        return -1;
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        char *path AUTO_FREE = heap_printf("%s/%s", folder, name);
        bool wants = ends_in(name, ".wants") || ends_in(name, ".requires");
        if (own && wants && read_links(writer, disk, path, base, err) < 0)
            return -1;
        if (!names_unit(name))
            continue;
        if (own && read_link(writer, disk, path, base, err) < 0)
            return -1;
        if (is_unit(base, path) && !find_file(base, name))
            texts_add(&base->units, path);
    }
    return 0;
}

int base_read_units(const struct disk_writer *writer, struct disk *disk, struct base *base,
                    struct error *err)
{
    if (read_link(writer, disk, "/etc/resolv.conf", base, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        if (read_folder(writer, disk, folders[i], base, err) < 0)
            return -1;
    return 0;
}

const char *base_unit(const struct base *base, const char *name)
{
    char *file AUTO_FREE = unit_template(name);
    const char *own = find_file(base, name);
    return own || !file ? own : find_file(base, file);
}

char *unit_template(const char *name)
{
    const char *at = strchr(name, '@'), *dot = strrchr(name, '.');
    if (!at || !dot || dot <= at + 1)
        return NULL;
    return heap_printf("%.*s%s", (int)(at + 1 - name), name, dot);
}

const char *base_link(const struct base *base, const char *path)
{
    for (size_t i = 0; i < base->link_count; i++)
        if (strcmp(base->links[i].path, path) == 0)
            return base->links[i].target;
    return NULL;
}

bool base_unit_masked(const struct base *base, const char *name)
{
    char *path AUTO_FREE = heap_printf(UNITS_OWN "/%s", name);
    const char *target = base_link(base, path);
    return target && strcmp(target, "/dev/null") == 0;
}

bool base_unit_enabled(const struct base *base, const char *name)
{
    for (size_t i = 0; i < base->link_count; i++) {
        const char *path = base->links[i].path, *file = strrchr(path, '/');
        bool wants = strncmp(path, UNITS_OWN "/", strlen(UNITS_OWN "/")) == 0 &&
                     (size_t)(file - path) > strlen(UNITS_OWN);
        if (wants && strcmp(file + 1, name) == 0)
            return !base_unit_masked(base, name);
    }
    return false;
}
