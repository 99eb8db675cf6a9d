#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/digest.h"
#include "builder/heap.h"
#include "builder/tree/tree.h"

enum { BUILD_ID_LEN = 16 }; /* hex digits */

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
    switch (entry->type) {
    case ENTRY_DIR:
        return set_string(object, "type", "dir", err);
    case ENTRY_LINK:
        if (set_string(object, "target", entry->target, err) < 0)
            return -1;
        return set_string(object, "type", "link", err);
    case ENTRY_HARDLINK:
        if (set_string(object, "target", entry->target, err) < 0)
            return -1;
        return set_string(object, "type", "hardlink", err);
    case ENTRY_FILE:
        break;
    }
    if (entry_digest(entry, hex, err) < 0)
        return -1;
    if (set_string(object, "sha256", hex, err) < 0)
        return -1;
    return set_string(object, "type", "file", err);
}

static int describe_entry(json_t *list, const struct entry *entry, struct error *err)
{
    json_t *object = json_object();
    json_array_append_new(list, object); /* the list owns it from here */
    char mode[8];
    snprintf(mode, sizeof mode, "%04o", entry->type == ENTRY_LINK ? 0777U : entry->mode & 07777U);
    if (set_string(object, "path", entry->path, err) < 0 ||
        set_string(object, "mode", mode, err) < 0 || describe_content(object, entry, err) < 0)
        return error_context(err, "%s", entry->path);
    if (json_object_set_new(object, "uid", json_integer(entry->uid)) < 0 ||
        json_object_set_new(object, "gid", json_integer(entry->gid)) < 0)
        return error_set(err, "out of memory");
    return 0;
}

static int path_against_entry(const void *path, const void *entry)
{
    return strcmp(path, ((const struct entry *)entry)->path);
}

/* A file cannot hold others; overlays that mirror / cannot say so, but a list of binaries can. */
static int check_parents(const struct tree *tree, struct error *err)
{
    for (size_t i = 0; i < tree->count; i++) {
        char *parent AUTO_FREE = heap_copy(tree->entries[i].path);
        for (char *slash = strrchr(parent, '/'); slash != parent; slash = strrchr(parent, '/')) {
            *slash = '\0';
            const struct entry *above = bsearch(parent, tree->entries, tree->count,
                                                sizeof *tree->entries, path_against_entry);
            if (above && above->type == ENTRY_FILE)
                return error_set(err, "%s lies below %s, which is a file", tree->entries[i].path,
                                 parent);
        }
    }
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

static int manifest_text(const struct tree *tree, char **text, struct error *err)
{
    json_t *list = json_array();
    json_t *root AUTO_JSON = json_object();
    if (json_object_set_new(root, "entries", list) < 0)
        return error_set(err, "out of memory");
    for (size_t i = 0; i < tree->count; i++)
        if (describe_entry(list, &tree->entries[i], err) < 0)
            return -1;
    char id[BUILD_ID_LEN + 1];
    if (build_id(list, id, err) < 0 || set_string(root, "build", id, err) < 0)
        return -1;
    json_object_set_new(root, "version", json_integer(1));
    char *json AUTO_FREE = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (!json)
        return error_set(err, "out of memory");
    *text = heap_printf("%s\n", json);
    return 0;
}

int tree_add_manifest(struct tree *tree, struct error *err)
{
    tree_sort(tree);
    char *text = NULL;
    if (check_parents(tree, err) < 0 || manifest_text(tree, &text, err) < 0)
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
