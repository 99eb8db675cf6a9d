#include "builder/package/ldcache.h"

#include <string.h>

#include "builder/heap.h"
#include "builder/image/dpkg.h"
#include "builder/package/soname.h"

#define CACHE "/etc/ld.so.cache"
#define CONF  "/etc/ld.so.conf"

/* Where the loader and ldconfig look without being told. */
static const char *const folders[] = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib",
                                      "/usr/lib"};

static const char *name_of(const char *path)
{
    return strrchr(path, '/') + 1;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Does ldconfig look at files of that name? */
static bool is_library(const struct entry *entry)
{
    const char *name = name_of(entry->path);
    return (entry->type == ENTRY_FILE || entry->type == ENTRY_LINK) &&
           (strncmp(name, "lib", 3) == 0 || strncmp(name, "ld-", 3) == 0) && strstr(name, ".so");
}

static bool in_folder(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && name_of(path) == path + n + 1;
}

static bool in_known_folder(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        if (in_folder(path, folders[i]))
            return true;
    return false;
}

/* Where /lib is a link to /usr/lib the cache has one of both names; it stays with that. */
static char *cached_path(const struct ldcache *cache, const char *path, const char *name)
{
    const char *dir = strncmp(path, "/usr/", 5) == 0 ? path + 4 : path;
    char *plain AUTO_FREE = heap_printf("%.*s/%s", (int)(name_of(dir) - dir - 1), dir, name);
    for (size_t i = 0; i < cache->count; i++) {
        const char *known = cache->items[i].path;
        char *folder AUTO_FREE = heap_printf("%.*s", (int)(name_of(dir) - dir - 1), dir);
        if (in_folder(known, folder))
            return steal(plain);
    }
    return heap_printf("%.*s/%s", (int)(name_of(path) - path - 1), path, name);
}

/* ldconfig takes a library by its soname, and would make a link of that name if there were none. */
static int add_file(const struct changes *changes, const struct entry *entry, struct ldcache *cache,
                    struct error *err)
{
    char *soname AUTO_FREE = NULL;
    int found = entry->host ? soname_read(entry->host, &soname, err) : 0;
    if (found <= 0)
        return found < 0 ? -1 : 1;
    char *link AUTO_FREE =
        heap_printf("%.*s/%s", (int)(name_of(entry->path) - entry->path - 1), entry->path, soname);
    if (!changes_find(changes, link)) {
        error_set(err, "%s comes without %s, which ldconfig would make", entry->path, link);
        return 0;
    }
    char *path AUTO_FREE = cached_path(cache, entry->path, soname);
    ldcache_add(cache, soname, path);
    return 1;
}

/* A link that linkers use (libmnl.so) stands in the cache by its own name. */
static int add_library(const struct changes *changes, const struct entry *entry,
                       struct ldcache *cache, struct error *err)
{
    if (entry->type == ENTRY_FILE)
        return add_file(changes, entry, cache, err);
    if (ends_with(entry->path, ".so")) {
        char *path AUTO_FREE = cached_path(cache, entry->path, name_of(entry->path));
        ldcache_add(cache, name_of(entry->path), path);
    }
    return 1;
}

/* Appends the lines of ld.so.conf and of the files that Debian's includes. */
static int read_conf(const struct changes *changes, struct buffer *out, struct error *err)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    if (changes_read(changes, CONF, out, err) < 0 ||
        changes->writer->list(changes->disk, CONF ".d", &names, err) < 0)
        return -1;
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        char *path AUTO_FREE = heap_printf(CONF ".d/%s", name);
        buffer_puts(out, "\n");
        if (ends_with(name, ".conf") && changes_read(changes, path, out, err) < 0)
            return -1;
    }
    return 0;
}

static bool is_listed(const struct buffer *conf, const char *path)
{
    struct dpkg_text rest = {conf->data, conf->len}, line;
    while (dpkg_next_line(&rest, &line)) {
        char *folder AUTO_FREE = heap_printf("%.*s", (int)line.len, line.at);
        folder[strcspn(folder, " \t#")] = '\0';
        if (*folder == '/' && in_folder(path, folder))
            return true;
    }
    return false;
}

/* What only ldconfig itself does: other folders, and libraries for some processors only. */
static int check_library(const struct buffer *conf, const struct entry *entry, struct error *err)
{
    bool special =
        strstr(entry->path, "/glibc-hwcaps/") || strncmp(entry->path, CONF ".d/", 17) == 0;
    if (!special &&
        (in_known_folder(entry->path) || !is_library(entry) || !is_listed(conf, entry->path)))
        return 1;
    error_set(err, "%s is for ldconfig itself", entry->path);
    return 0;
}

static int add_libraries(const struct changes *changes, struct ldcache *cache, struct error *err)
{
    struct buffer conf AUTO_BUFFER = buffer_heap();
    int result = read_conf(changes, &conf, err) < 0 ? -1 : 1;
    for (size_t i = 0; i < changes->count && result > 0; i++) {
        const struct entry *entry = &changes->items[i]->entry;
        result = check_library(&conf, entry, err);
        if (result > 0 && in_known_folder(entry->path) && is_library(entry))
            result = add_library(changes, entry, cache, err);
    }
    return result;
}

int ldcache_update(struct changes *changes, struct error *err)
{
    struct buffer bytes AUTO_BUFFER = buffer_heap(), text AUTO_BUFFER = buffer_heap();
    struct ldcache cache AUTO_LDCACHE = {0};
    int found = changes_read(changes, CACHE, &bytes, err);
    if (found <= 0) /* without a cache the loader looks itself */
        return found < 0 ? -1 : 1;
    if (!ldcache_parse(bytes.data, bytes.len, &cache)) {
        error_set(err, CACHE " of the base has a form that is not known");
        return 0;
    }
    size_t before = cache.count;
    int result = add_libraries(changes, &cache, err);
    if (result <= 0 || cache.count == before)
        return result;
    ldcache_format(&cache, &text);
    size_t len = text.len;
    return changes_add_text(changes, CACHE, 0644, steal(text.data), len, err) < 0 ? -1 : 1;
}
