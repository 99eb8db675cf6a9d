#include "builder/plan/profile-values.h"

#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "common/template.h"

static bool is_name(const char *text, size_t len)
{
    return len > 0 && len < FACT_NAME_MAX && *text >= 'A' && *text <= 'Z' &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") >= len;
}

static int read_value_name(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (!is_name(text, strlen(text)))
        return yaml_error(ref, err, "'%.64s' is not a value's name (A-Z, 0-9, _)", text);
    return yaml_read_text(ref, dest, err);
}

/* It may be empty, or have several lines. */
static int read_value_text(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    *(char **)dest = heap_copy(text);
    return 0;
}

static int append_value(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"name", read_value_name, offsetof(struct value, name), true},
        {"text", read_value_text, offsetof(struct value, text), true},
        {"when", when_read, offsetof(struct value, when), false},
    };
    struct profile *profile = dest;
    return yaml_read_map(ref, fields, ARRAY_LEN(fields),
                         APPEND(profile->values, profile->value_count, profile->value_cap), err);
}

int profile_read_values(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, PROFILE_LIST_MAX, append_value, dest, err);
}

const char *profile_value(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->value_count; i++)
        if (strcmp(profile->values[i].name, name) == 0)
            return profile->values[i].text;
    return NULL;
}

/* The path with its first component @NAME@ replaced, or NULL: there is none. */
static int place(const struct profile *profile, const struct overlay_file *file, char **out,
                 struct error *err)
{
    *out = NULL;
    const char *at = strstr(file->path, "/@");
    const char *end = at ? strchr(at + 2, '@') : NULL;
    if (!end || !is_name(at + 2, (size_t)(end - at - 2)) || (end[1] && end[1] != '/'))
        return 0;
    char *name AUTO_FREE = heap_printf("%.*s", (int)(end - at - 2), at + 2);
    const char *value = profile_value(profile, name);
    if (!value || *value != '/')
        return error_set(err, "overlay %s: profile %s has no path as its value %s", file->name,
                         profile->name, name);
    *out = heap_printf("%.*s%s%s", (int)(at - file->path), file->path, value, end + 1);
    return 0;
}

/* Takes an earlier file of that path away: the later one counts. */
static void remove_path(struct overlay_list *list, size_t before, const char *path)
{
    for (size_t i = 0; i < before; i++)
        if (strcmp(list->files[i].path, path) == 0) {
            overlay_list_remove(list, i);
            return;
        }
}

int profile_place(const struct profile *profile, struct overlay_list *list, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        char *path = NULL;
        size_t count = list->count;
        if (place(profile, &list->files[i], &path, err) < 0)
            return -1;
        if (!path)
            continue;
        remove_path(list, i, path);
        i -= count - list->count;
        free(list->files[i].path);
        list->files[i].path = path;
    }
    return 0;
}
