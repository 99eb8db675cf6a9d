#include "builder/plan/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/plan/profile-facts.h"
#include "builder/yaml/yaml.h"
#include "common/template.h"

#define NODE_NAME "NODE_NAME"

static bool path_clean(const char *text)
{
    do {
        size_t n = *text == '/' ? strcspn(text + 1, "/") : 0;
        if (n == 0 || (text[1] == '.' && (n == 1 || (n == 2 && text[2] == '.'))))
            return false;
        text += n + 1;
    } while (*text);
    return true;
}

static int read_path(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (!path_clean(text) || strchr(text, ' '))
        return yaml_error(ref, err, "'%.64s' is not a clean absolute path without spaces", text);
    return yaml_read_text(ref, dest, err);
}

/* A name that will stand in a path or a list: no slash, no space. */
static int read_plain(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (strpbrk(text, "/ ") || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return yaml_error(ref, err, "'%.64s' is not a plain name (no '/', no space)", text);
    return yaml_read_text(ref, dest, err);
}

static int append_text(struct yaml_ref ref, void *dest, struct error *err)
{
    struct texts *texts = dest;
    return read_plain(ref, APPEND(texts->items, texts->count, texts->cap), err);
}

static int read_texts(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, PROFILE_LIST_MAX, append_text, dest, err);
}

static int append_directory(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"path", read_path, offsetof(struct directory, path), true},
        {"mode", yaml_read_mode, offsetof(struct directory, mode), false},
    };
    struct role *role = dest;
    struct directory *dir = APPEND(role->directories, role->directory_count, role->directory_cap);
    dir->mode = 0755;
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), dir, err);
}

static int append_binary(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"name", read_plain, offsetof(struct binary, name), true},
        {"path", read_path, offsetof(struct binary, path), true},
        {"optional", yaml_read_bool, offsetof(struct binary, optional), false},
    };
    struct role *role = dest;
    return yaml_read_map(ref, fields, ARRAY_LEN(fields),
                         APPEND(role->binaries, role->binary_count, role->binary_cap), err);
}

static enum template_answer node_name_only(void *ctx, const char *name, const char **value)
{
    (void)ctx;
    (void)value;
    return strcmp(name, NODE_NAME) == 0 ? TEMPLATE_LATER : TEMPLATE_UNKNOWN;
}

/* Of a node's own files the builder fills the name in, and firstboot the path. */
static int check_node_names(struct yaml_ref ref, const char *text, struct error *err)
{
    struct buffer ignored AUTO_BUFFER = buffer_heap();
    struct error cause = ERROR_INIT;
    if (template_render(&ignored, text, strlen(text), node_name_only, NULL, NULL, &cause) < 0)
        return yaml_error(ref, err, "'%.200s' may hold @" NODE_NAME "@ and no other fact", text);
    return 0;
}

/* The last key is only for what all nodes have. */
static int read_pki_file(struct yaml_ref ref, bool own, struct pki_file *file, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"file", read_plain, offsetof(struct pki_file, file), true},
        {"path", read_path, offsetof(struct pki_file, path), true},
        {"mode", yaml_read_mode, offsetof(struct pki_file, mode), true},
        {"when", pki_when_read, offsetof(struct pki_file, when), false},
    };
    return yaml_read_map(ref, fields, ARRAY_LEN(fields) - own, file, err);
}

static int append_pki(struct yaml_ref ref, void *dest, struct error *err)
{
    struct role *role = dest;
    return read_pki_file(ref, false, APPEND(role->pki, role->pki_count, role->pki_cap), err);
}

static int append_identity(struct yaml_ref ref, void *dest, struct error *err)
{
    struct role *role = dest;
    struct pki_file *file = APPEND(role->identity, role->identity_count, role->identity_cap);
    if (read_pki_file(ref, true, file, err) < 0 || check_node_names(ref, file->file, err) < 0)
        return -1;
    return check_node_names(ref, file->path, err);
}

static int read_unit_name(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (read_plain(ref, dest, err) < 0 || yaml_scalar(ref, &text, err) < 0)
        return -1;
    const char *dot = strrchr(text, '.');
    if (!dot || dot == text || !dot[1])
        return yaml_error(ref, err, "'%.64s' is not a unit's name such as kubelet.service", text);
    return 0;
}

static int append_unit(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"name", read_unit_name, offsetof(struct unit, name), true},
        {"wantedBy", read_unit_name, offsetof(struct unit, wanted_by), true},
    };
    struct role *role = dest;
    struct unit *unit = APPEND(role->units, role->unit_count, role->unit_cap);
    if (yaml_read_map(ref, fields, ARRAY_LEN(fields), unit, err) < 0)
        return -1;
    for (const struct unit *u = role->units; u < unit; u++)
        if (u->name && strcmp(u->name, unit->name) == 0 && u->wanted_by &&
            strcmp(u->wanted_by, unit->wanted_by) == 0)
            return yaml_error(ref, err, "%s is wanted by %s already", u->name, u->wanted_by);
    return 0;
}

#define LIST_READER(name, append)                                                                  \
    static int name(struct yaml_ref ref, void *dest, struct error *err)                            \
    {                                                                                              \
        return yaml_read_list(ref, 0, PROFILE_LIST_MAX, append, dest, err);                        \
    }

LIST_READER(read_directories, append_directory)
LIST_READER(read_binaries, append_binary)
LIST_READER(read_pki, append_pki)
LIST_READER(read_identity, append_identity)
LIST_READER(read_units, append_unit)

static int append_role(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"name", yaml_read_label, offsetof(struct role, name), true},
        {"memory", yaml_read_size, offsetof(struct role, memory), true},
        {"disk", yaml_read_size, offsetof(struct role, disk), true},
        {"overlays", read_texts, offsetof(struct role, overlays), true},
        {"packages", read_texts, offsetof(struct role, packages), true},
        {"directories", read_directories, 0, true},
        {"binaries", read_binaries, 0, true},
        {"pki", read_pki, 0, true},
        {"identity", read_identity, 0, true},
        {"units", read_units, 0, true},
    };
    struct profile *profile = dest;
    struct role *role = APPEND(profile->roles, profile->role_count, profile->role_cap);
    if (yaml_read_map(ref, fields, ARRAY_LEN(fields), role, err) < 0)
        return -1;
    if (profile_role(profile, role->name) != role)
        return yaml_error(ref, err, "the role %s stands here twice", role->name);
    return 0;
}

LIST_READER(read_roles, append_role)

static int read_minor(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    int end = 0;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (sscanf(text, "1.%3u%n", (unsigned *)dest, &end) != 1 || text[end])
        return yaml_error(ref, err, "'%.64s' is not a minor version; write it like \"1.21\"", text);
    return 0;
}

static int append_tested(struct yaml_ref ref, void *dest, struct error *err)
{
    struct profile *profile = dest;
    return read_minor(ref, APPEND(profile->tested, profile->tested_count, profile->tested_cap),
                      err);
}

LIST_READER(read_tested, append_tested)

static int read_range(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"from", read_minor, offsetof(struct profile, minor_from), true},
        {"to", read_minor, offsetof(struct profile, minor_to), true},
        {"tested", read_tested, 0, true},
    };
    const struct profile *profile = dest;
    if (yaml_read_map(ref, fields, ARRAY_LEN(fields), dest, err) < 0)
        return -1;
    if (profile->minor_from > profile->minor_to)
        return yaml_error(ref, err, "from 1.%u is later than to 1.%u", profile->minor_from,
                          profile->minor_to);
    return 0;
}

static int read_version(struct yaml_ref ref, void *dest, struct error *err)
{
    unsigned ignored;
    (void)dest;
    return yaml_read_version1(ref, &ignored, err);
}

int profile_load(const char *file, struct profile **out, struct problems *problems,
                 struct error *err)
{
    static const struct yaml_field fields[] = {
        {"version", read_version, 0, true},
        {"name", yaml_read_label, offsetof(struct profile, name), true},
        {"kubernetes", read_range, 0, true},
        {"facts", profile_read_facts, 0, true},
        {"roles", read_roles, 0, true},
    };
    struct yaml_file *yaml AUTO_YAML = NULL;
    struct profile *profile AUTO_PROFILE = heap_array(1, sizeof *profile);
    profile->file = heap_copy(file);
    if (yaml_load(file, problems, &yaml, err) < 0)
        return -1;
    int result = yaml_read_map(yaml_root(yaml), fields, ARRAY_LEN(fields), profile, err);
    if (problems_settle(problems, result, err) < 0)
        return -1;
    if (!profile_fact(profile, NODE_NAME))
        return error_set(err, "%s: facts lack " NODE_NAME ", which every profile needs", file);
    *out = steal(profile);
    return 0;
}

bool profile_tested(const struct profile *profile, unsigned minor)
{
    for (size_t i = 0; i < profile->tested_count; i++)
        if (profile->tested[i] == minor)
            return true;
    return false;
}

const struct role *profile_role(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->role_count; i++)
        if (profile->roles[i].name && strcmp(profile->roles[i].name, name) == 0)
            return &profile->roles[i];
    return NULL;
}

bool role_has_binary(const struct role *role, const char *name)
{
    for (size_t i = 0; i < role->binary_count; i++)
        if (strcmp(role->binaries[i].name, name) == 0)
            return true;
    return false;
}

const struct node_fact *profile_fact(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->fact_count; i++)
        if (profile->facts[i].name && strcmp(profile->facts[i].name, name) == 0)
            return &profile->facts[i];
    return NULL;
}

static void free_pki(struct pki_file *files, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(files[i].file);
        free(files[i].path);
    }
    free(files);
}

static void free_role(struct role *role)
{
    texts_free(&role->overlays);
    texts_free(&role->packages);
    for (size_t i = 0; i < role->directory_count; i++)
        free(role->directories[i].path);
    for (size_t i = 0; i < role->binary_count; i++) {
        free(role->binaries[i].name);
        free(role->binaries[i].path);
    }
    for (size_t i = 0; i < role->unit_count; i++) {
        free(role->units[i].name);
        free(role->units[i].wanted_by);
    }
    free_pki(role->pki, role->pki_count);
    free_pki(role->identity, role->identity_count);
    free(role->directories);
    free(role->binaries);
    free(role->units);
    free(role->name);
}

static void free_fact(struct node_fact *fact)
{
    for (size_t i = 0; i < fact->path_count; i++) {
        free(fact->paths[i].source);
        free(fact->paths[i].path);
    }
    free(fact->paths);
    free(fact->name);
}

void profile_free(struct profile *profile)
{
    if (!profile)
        return;
    for (size_t i = 0; i < profile->role_count; i++)
        free_role(&profile->roles[i]);
    for (size_t i = 0; i < profile->fact_count; i++)
        free_fact(&profile->facts[i]);
    free(profile->roles);
    free(profile->facts);
    free(profile->tested);
    free(profile->name);
    free(profile->file);
    free(profile);
}

void profile_free_at(struct profile **profile)
{
    profile_free(*profile);
}
