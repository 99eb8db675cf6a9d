#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/tree/manifest.h"

enum { SHA256_HEX = 64 };

static void json_free_at(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_free_at)))

static int get_text(const json_t *object, const char *key, const char **out, struct error *err)
{
    *out = json_string_value(json_object_get(object, key));
    return *out ? 0 : error_set(err, "it has no text '%s'", key);
}

static int get_number(const json_t *object, const char *key, uint64_t max, uint64_t *out,
                      struct error *err)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > max)
        return error_set(err, "it has no number '%s'", key);
    *out = (uint64_t)json_integer_value(value);
    return 0;
}

static int get_type(const json_t *object, enum entry_type *type, struct error *err)
{
    const char *word;
    if (get_text(object, "type", &word, err) < 0)
        return -1;
    for (*type = ENTRY_DIR; *type <= ENTRY_GONE; ++*type)
        if (strcmp(word, entry_type_word(*type)) == 0)
            return 0;
    return error_set(err, "its type '%.32s' is unknown", word);
}

static bool is_hex(const char *text)
{
    return strspn(text, "0123456789abcdef") == strlen(text);
}

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static int add_xattr(struct entry *entry, size_t *cap, const char *name, const char *hex,
                     struct error *err)
{
    if (!hex || !is_hex(hex) || strlen(hex) % 2)
        return error_set(err, "its extended attribute %s is not in hex", name);
    struct xattr *x = APPEND(entry->xattrs, entry->xattr_count, *cap);
    *x = (struct xattr){.name = heap_copy(name), .len = strlen(hex) / 2};
    x->value = heap_array(x->len + 1, 1);
    for (size_t i = 0; i < x->len; i++)
        x->value[i] = (char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    return 0;
}

static int read_xattrs(const json_t *object, struct entry *entry, struct error *err)
{
    const char *name;
    json_t *value, *all = json_object_get(object, "xattrs");
    size_t cap = 0;
    if (all && !json_is_object(all))
        return error_set(err, "its extended attributes are no object");
    json_object_foreach(all, name, value) if (add_xattr(entry, &cap, name, json_string_value(value),
                                                        err) < 0) return -1;
    return 0;
}

static int read_inode(const json_t *object, struct entry *entry, struct error *err)
{
    const char *mode;
    uint64_t uid, gid;
    if (get_text(object, "mode", &mode, err) < 0 ||
        get_number(object, "uid", UINT32_MAX, &uid, err) < 0 ||
        get_number(object, "gid", UINT32_MAX, &gid, err) < 0)
        return -1;
    if (strlen(mode) != 4 || strspn(mode, "01234567") != 4)
        return error_set(err, "its mode '%.32s' is not four octal digits", mode);
    entry->mode = (mode_t)strtoul(mode, NULL, 8);
    entry->uid = (uid_t)uid;
    entry->gid = (gid_t)gid;
    return read_xattrs(object, entry, err);
}

static int read_content(const json_t *object, struct manifest_item *item, struct error *err)
{
    const char *text;
    if (item->entry.type == ENTRY_DIR || item->entry.type == ENTRY_GONE)
        return 0;
    if (item->entry.type != ENTRY_FILE) {
        if (get_text(object, "target", &text, err) < 0)
            return -1;
        item->entry.target = heap_copy(text);
        return 0;
    }
    if (get_text(object, "sha256", &text, err) < 0 ||
        get_number(object, "size", INT64_MAX, &item->size, err) < 0)
        return -1;
    if (strlen(text) != SHA256_HEX || !is_hex(text))
        return error_set(err, "its sha256 is not 64 hex digits");
    memcpy(item->sha256, text, SHA256_HEX + 1);
    return 0;
}

/* What an entry of a tree has to fulfil, this one has to, too. */
static int check_entry(struct entry *entry, struct error *err)
{
    static char content[] = "";
    entry->text = entry->type == ENTRY_FILE ? content : NULL;
    int result = entry_check(entry, err);
    entry->text = NULL;
    return result;
}

static int read_item(const json_t *object, struct manifest_item *item, struct error *err)
{
    const char *path;
    if (get_text(object, "path", &path, err) < 0)
        return -1;
    item->entry.path = heap_copy(path);
    if (get_type(object, &item->entry.type, err) < 0 || read_content(object, item, err) < 0)
        return -1;
    bool inode = item->entry.type != ENTRY_HARDLINK && item->entry.type != ENTRY_GONE;
    if (inode && read_inode(object, &item->entry, err) < 0)
        return -1;
    return check_entry(&item->entry, err);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct manifest_item *)a)->entry.path,
                  ((const struct manifest_item *)b)->entry.path);
}

static int read_items(const json_t *entries, struct manifest *out, struct error *err)
{
    for (size_t i = 0; i < json_array_size(entries); i++) {
        struct manifest_item *item = APPEND(out->items, out->count, out->cap);
        if (read_item(json_array_get(entries, i), item, err) < 0)
            return error_context(err, "entry %zu", i + 1);
    }
    if (out->count > 1)
        qsort(out->items, out->count, sizeof *out->items, by_path);
    for (size_t i = 1; i < out->count; i++)
        if (by_path(&out->items[i - 1], &out->items[i]) == 0)
            return error_set(err, "%s stands there twice", out->items[i].entry.path);
    return 0;
}

/* Build id, order and form come out of the entries again, or it was changed. */
static int compare(const char *text, size_t len, const json_t *root, struct manifest *out,
                   struct error *err)
{
    char *again AUTO_FREE = NULL;
    const char *build = json_string_value(json_object_get(root, "build"));
    if (build && is_hex(build) && strlen(build) == MANIFEST_BUILD_MAX - 1)
        memcpy(out->build, build, MANIFEST_BUILD_MAX);
    if (manifest_text(json_object_get(root, "entries"), &again, err) < 0)
        return -1;
    out->genuine = strlen(again) == len && memcmp(again, text, len) == 0;
    return 0;
}

static int parse(const char *text, size_t len, struct manifest *out, struct error *err)
{
    json_error_t why;
    if (len > MANIFEST_MAX)
        return error_set(err, "larger than %d bytes", MANIFEST_MAX);
    json_t *root AUTO_JSON = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return error_set(err, "line %d is not JSON: %.200s", why.line, why.text);
    if (!json_is_array(json_object_get(root, "entries")))
        return error_set(err, "it has no list of entries");
    if (read_items(json_object_get(root, "entries"), out, err) < 0)
        return -1;
    return compare(text, len, root, out, err);
}

int manifest_parse(const char *text, size_t len, struct manifest *out, struct error *err)
{
    struct manifest manifest AUTO_MANIFEST = {.count = 0};
    if (parse(text, len, &manifest, err) < 0)
        return -1;
    *out = manifest;
    manifest = (struct manifest){.count = 0};
    return 0;
}

const struct manifest_item *manifest_find(const struct manifest *manifest, const char *path)
{
    struct manifest_item wanted = {.entry.path = (char *)path};
    return manifest->count ? bsearch(&wanted, manifest->items, manifest->count,
                                     sizeof *manifest->items, by_path)
                           : NULL;
}

void manifest_free(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++)
        entry_free(&manifest->items[i].entry);
    free(manifest->items);
    *manifest = (struct manifest){.count = 0};
}
