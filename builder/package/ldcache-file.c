/* The file /etc/ld.so.cache:
 *
 *     header, 48 bytes    "glibc-ld.so.cache1.1", counts, where the extensions begin
 *     items, 24 bytes     flags, name, path (offsets in the file), version, hwcap
 *     strings             each with a NUL; a name is mostly the end of its path
 *     extensions          a directory; the one known here is the name of the program that made it
 */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/package/ldcache.h"

enum {
    ITEMS_MAX = 1 << 16,
    ALIGN = 4,
    LITTLE_ENDIAN_FLAG = 2,
    SECTION_GENERATOR = 0,
    LIBRARY_FLAGS = 0x303 /* for glibc, of x86-64 */
};

static const char MAGIC[] = "glibc-ld.so.cache1.1";
static const uint32_t EXTENSION_MAGIC = 0xeaa42174;

struct header {
    char magic[20];
    uint32_t count, strings; /* items, bytes of strings */
    uint8_t flags, unused[3];
    uint32_t extensions; /* 0: none */
    uint32_t reserved[3];
};

struct item {
    uint32_t flags, name, path, version;
    uint64_t hwcap;
};

struct extensions {
    uint32_t magic, count;
};

struct section {
    uint32_t tag, flags, at, size;
};

_Static_assert(sizeof(struct header) == 48 && sizeof(struct item) == 24, "as in the file");

/* A copy of n bytes at an offset; false when they are not all there. */
static bool fetch(const char *bytes, size_t len, uint64_t at, void *out, size_t n)
{
    if (at > len || n > len - at)
        return false;
    memcpy(out, bytes + at, n);
    return true;
}

static char *fetch_text(const char *bytes, size_t len, uint32_t at)
{
    const char *end = at < len ? memchr(bytes + at, '\0', len - at) : NULL;
    return end ? heap_copy(bytes + at) : NULL;
}

static bool parse_extensions(const char *bytes, size_t len, uint32_t at, struct ldcache *out)
{
    struct extensions head;
    struct section section;
    if (!fetch(bytes, len, at, &head, sizeof head) || head.magic != EXTENSION_MAGIC)
        return false;
    if (head.count == 0)
        return true;
    if (head.count > 1 ||
        !fetch(bytes, len, (uint64_t)at + sizeof head, &section, sizeof section) ||
        section.tag != SECTION_GENERATOR || section.at > len || section.size > len - section.at)
        return false;
    out->generator = heap_printf("%.*s", (int)section.size, bytes + section.at);
    return true;
}

bool ldcache_parse(const char *bytes, size_t len, struct ldcache *out)
{
    struct header header;
    *out = (struct ldcache){0};
    if (len > INT_MAX || !fetch(bytes, len, 0, &header, sizeof header) ||
        memcmp(header.magic, MAGIC, sizeof header.magic) != 0 || header.count > ITEMS_MAX ||
        (header.flags && header.flags != LITTLE_ENDIAN_FLAG))
        return false;
    for (uint32_t i = 0; i < header.count; i++) {
        struct item item;
        if (!fetch(bytes, len, sizeof header + (uint64_t)i * sizeof item, &item, sizeof item))
            return false;
        struct ldcache_item *new = APPEND(out->items, out->count, out->cap);
        *new = (struct ldcache_item){.name = fetch_text(bytes, len, item.name),
                                     .path = fetch_text(bytes, len, item.path),
                                     .flags = item.flags,
                                     .version = item.version,
                                     .hwcap = item.hwcap};
        if (!new->name || !new->path)
            return false;
    }
    return !header.extensions || parse_extensions(bytes, len, header.extensions, out);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static unsigned long read_number(const char **p)
{
    unsigned long value = 0;
    for (; is_digit(**p); (*p)++)
        value = value * 10 + (unsigned long)(**p - '0');
    return value;
}

/* The loader's order of names: runs of digits count as numbers, and a digit is above all else. */
static int compare_names(const char *a, const char *b)
{
    while (*a) {
        if (is_digit(*a) && is_digit(*b)) {
            unsigned long x = read_number(&a), y = read_number(&b);
            if (x != y)
                return x < y ? -1 : 1;
        } else if (is_digit(*a) != is_digit(*b)) {
            return is_digit(*a) ? 1 : -1;
        } else if (*a != *b) {
            return *a < *b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return *b ? -1 : 0;
}

void ldcache_add(struct ldcache *cache, const char *name, const char *path)
{
    size_t at = 0;
    while (at < cache->count && compare_names(cache->items[at].name, name) > 0)
        at++;
    for (size_t i = at; i < cache->count && strcmp(cache->items[i].name, name) == 0; i++)
        if (strcmp(cache->items[i].path, path) == 0)
            return;
    (void)APPEND(cache->items, cache->count, cache->cap);
    memmove(&cache->items[at + 1], &cache->items[at],
            (cache->count - 1 - at) * sizeof *cache->items);
    cache->items[at] = (struct ldcache_item){
        .name = heap_copy(name), .path = heap_copy(path), .flags = LIBRARY_FLAGS};
}

/* Appends an item's strings, and says where they are. */
static void format_strings(const struct ldcache_item *item, size_t base, struct buffer *strings,
                           struct item *out)
{
    size_t name = strlen(item->name), path = strlen(item->path);
    *out = (struct item){.flags = item->flags, .version = item->version, .hwcap = item->hwcap};
    out->path = (uint32_t)(base + strings->len);
    buffer_add(strings, item->path, path + 1);
    if (path >= name && strcmp(item->path + path - name, item->name) == 0) {
        out->name = out->path + (uint32_t)(path - name);
        return;
    }
    out->name = (uint32_t)(base + strings->len);
    buffer_add(strings, item->name, name + 1);
}

void ldcache_format(const struct ldcache *cache, struct buffer *out)
{
    struct buffer strings AUTO_BUFFER = buffer_heap();
    struct item *items AUTO_FREE = heap_array(cache->count, sizeof *items);
    size_t base = sizeof(struct header) + cache->count * sizeof *items;
    for (size_t i = 0; i < cache->count; i++)
        format_strings(&cache->items[i], base, &strings, &items[i]);
    size_t end = (base + strings.len + ALIGN - 1) / ALIGN * ALIGN;
    struct header header = {.count = (uint32_t)cache->count,
                            .strings = (uint32_t)strings.len,
                            .flags = LITTLE_ENDIAN_FLAG,
                            .extensions = cache->generator ? (uint32_t)end : 0};
    memcpy(header.magic, MAGIC, sizeof header.magic);
    size_t begin = out->len;
    buffer_add(out, &header, sizeof header);
    buffer_add(out, items, cache->count * sizeof *items);
    buffer_add(out, strings.data, strings.len);
    if (!cache->generator)
        return;
    while (out->len - begin < end)
        buffer_add(out, "", 1);
    struct extensions head = {EXTENSION_MAGIC, 1};
    struct section section = {.tag = SECTION_GENERATOR,
                              .at = (uint32_t)(end + sizeof head + sizeof section),
                              .size = (uint32_t)strlen(cache->generator)};
    buffer_add(out, &head, sizeof head);
    buffer_add(out, &section, sizeof section);
    buffer_puts(out, cache->generator);
}

void ldcache_free(struct ldcache *cache)
{
    for (size_t i = 0; i < cache->count; i++) {
        free(cache->items[i].name);
        free(cache->items[i].path);
    }
    free(cache->items);
    free(cache->generator);
    *cache = (struct ldcache){0};
}
