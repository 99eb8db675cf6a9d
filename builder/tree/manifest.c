#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/digest.h"
#include "builder/heap.h"
#include "builder/tree/manifest.h"

enum { BUILD_ID_LEN = MANIFEST_BUILD_MAX - 1 };

static void json_free_at(json_t **json)
{
    json_decref(*json);
}

#define AUTO_JSON __attribute__((cleanup(json_free_at)))

int entry_digest(const struct entry *entry, char *hex, struct error *err)
{
    return entry->text ? digest_memory(entry->text, entry->len, "sha256", hex, err)
                       : digest_path(entry->host, hex, err);
}

static int set_string(json_t *object, const char *key, const char *value, struct error *err)
{
    if (json_object_set_new(object, key, json_string(value)) < 0)
        return error_set(err, "%s is not UTF-8, which the manifest needs", key);
    return 0;
}

static int describe_content(json_t *object, const struct entry *entry, struct error *err)
{
    char hex[DIGEST_HEX_MAX] = "";
    if (entry->target)
        return set_string(object, "target", entry->target, err);
    if (entry->type != ENTRY_FILE)
        return 0;
    uint64_t size;
    if (entry_digest(entry, hex, err) < 0 || entry_size(entry, &size, err) < 0)
        return -1;
    if (json_object_set_new(object, "size", json_integer((json_int_t)size)) < 0)
        return error_set(err, "out of memory");
    return set_string(object, "sha256", hex, err);
}

static int describe_xattrs(json_t *object, const struct entry *entry, struct error *err)
{
    if (entry->xattr_count == 0)
        return 0;
    json_t *xattrs = json_object();
    if (json_object_set_new(object, "xattrs", xattrs) < 0) /* the object owns it from here */
        return error_set(err, "out of memory");
    for (size_t i = 0; i < entry->xattr_count; i++) {
        char *hex AUTO_FREE = xattr_hex(&entry->xattrs[i]);
        if (json_object_set_new(xattrs, entry->xattrs[i].name, json_string(hex)) < 0)
            return error_set(err, "the name of an extended attribute is not UTF-8");
    }
    return 0;
}

/* What the inode holds: a hard link has its file's. */
static int describe_inode(json_t *object, const struct entry *entry, struct error *err)
{
    char mode[8];
    snprintf(mode, sizeof mode, "%04o", entry->type == ENTRY_LINK ? 0777U : entry->mode & 07777U);
    if (set_string(object, "mode", mode, err) < 0)
        return -1;
    if (json_object_set_new(object, "uid", json_integer(entry->uid)) < 0 ||
        json_object_set_new(object, "gid", json_integer(entry->gid)) < 0)
        return error_set(err, "out of memory");
    return describe_xattrs(object, entry, err);
}

static bool has_inode(const struct entry *entry)
{
    return entry->type != ENTRY_HARDLINK && entry->type != ENTRY_GONE;
}

static int describe_entry(json_t *list, const struct entry *entry, struct error *err)
{
    json_t *object = json_object();
    json_array_append_new(list, object); /* the list owns it from here */
    if (set_string(object, "path", entry->path, err) < 0 ||
        set_string(object, "type", entry_type_word(entry->type), err) < 0 ||
        describe_content(object, entry, err) < 0 ||
        (has_inode(entry) && describe_inode(object, entry, err) < 0))
        return error_context(err, "%s", entry->path);
    return 0;
}

static int path_against_entry(const void *path, const void *entry)
{
    return strcmp(path, ((const struct entry *)entry)->path);
}

static const struct entry *find_sorted(const struct tree *tree, const char *path)
{
    return bsearch(path, tree->entries, tree->count, sizeof *tree->entries, path_against_entry);
}

/* A file cannot hold others; overlays that mirror / cannot say so, but a list of binaries can. */
static int check_parents(const struct tree *tree, const struct entry *entry, struct error *err)
{
    char *parent AUTO_FREE = heap_copy(entry->path);
    for (char *slash = strrchr(parent, '/'); slash != parent; slash = strrchr(parent, '/')) {
        *slash = '\0';
        const struct entry *above = find_sorted(tree, parent);
        if (above && above->type != ENTRY_DIR && above->type != ENTRY_LINK)
            return error_set(err, "%s lies below %s, which is a %s", entry->path, parent,
                             entry_type_name(above->type));
    }
    return 0;
}

/* A file that the tree lacks may be in the base: who writes the image sees. */
static int check_target(const struct tree *tree, const struct entry *entry, struct error *err)
{
    const struct entry *file =
        entry->type == ENTRY_HARDLINK ? find_sorted(tree, entry->target) : NULL;
    if (file && file->type != ENTRY_FILE && file->type != ENTRY_LINK)
        return error_set(err, "%s is a hard link to %s, which is a %s and not a file", entry->path,
                         file->path, entry_type_name(file->type));
    return 0;
}

static int check_places(const struct tree *tree, struct error *err)
{
    for (size_t i = 0; i < tree->count; i++)
        if (check_parents(tree, &tree->entries[i], err) < 0 ||
            check_target(tree, &tree->entries[i], err) < 0)
            return -1;
    return 0;
}

static int build_id(const json_t *list, char id[BUILD_ID_LEN + 1], struct error *err)
{
    char hex[DIGEST_HEX_MAX] = "";
    char *text AUTO_FREE = json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return error_set(err, "out of memory");
    if (digest_memory(text, strlen(text), "sha256", hex, err) < 0)
        return -1;
    memcpy(id, hex, BUILD_ID_LEN);
    id[BUILD_ID_LEN] = '\0';
    return 0;
}

int manifest_text(json_t *entries, char **text, struct error *err)
{
    char id[MANIFEST_BUILD_MAX];
    json_t *root AUTO_JSON = json_object();
    if (json_object_set(root, "entries", entries) < 0)
        return error_set(err, "out of memory");
    if (build_id(entries, id, err) < 0 || set_string(root, "build", id, err) < 0)
        return -1;
    json_object_set_new(root, "version", json_integer(1));
    char *json AUTO_FREE = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (!json)
        return error_set(err, "out of memory");
    *text = heap_printf("%s\n", json);
    return 0;
}

static int describe(const struct tree *tree, char **text, struct error *err)
{
    json_t *list AUTO_JSON = json_array();
    for (size_t i = 0; i < tree->count; i++)
        if (describe_entry(list, &tree->entries[i], err) < 0)
            return -1;
    return manifest_text(list, text, err);
}

int tree_add_manifest(struct tree *tree, struct error *err)
{
    tree_sort(tree);
    char *text = NULL;
    if (check_places(tree, err) < 0 || describe(tree, &text, err) < 0)
        return error_context(err, "manifest");
    struct entry entry = {.path = heap_copy(TREE_MANIFEST),
                          .type = ENTRY_FILE,
                          .mode = 0644,
                          .text = text,
                          .len = strlen(text),
                          .source = heap_copy("nodebake")};
    if (tree_add(tree, entry, err) < 0)
        return error_context(err, "manifest");
    tree_sort(tree);
    return 0;
}
