#include "builder/plan/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/plan/profile-facts.h"
#include "builder/plan/profile-values.h"
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

/* A name, or a map of it and when it counts. */
struct named {
    char *name;
    when_set when;
};

static int read_named(struct yaml_ref ref, struct named *named, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"name", read_plain, offsetof(struct named, name), true},
        {"when", when_read, offsetof(struct named, when), true},
    };
    if (yaml_is_scalar(ref))
        return read_plain(ref, &named->name, err);
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), named, err);
}

static int append_overlay(struct yaml_ref ref, void *dest, struct error *err)
{
    struct role *role = dest;
    struct named named = {0};
    int result = read_named(ref, &named, err);
    size_t row = role->overlays.count;
    *APPEND(role->overlays.items, role->overlays.count, role->overlays.cap) = named.name;
    *APPEND(role->overlays_when, row, role->overlays_when_cap) = named.when;
    return result;
}

static int append_package(struct yaml_ref ref, void *dest, struct error *err)
{
    struct role *role = dest;
    struct named named = {0};
    int result = read_named(ref, &named, err);
    size_t row = role->packages.count;
    *APPEND(role->packages.items, role->packages.count, role->packages.cap) = named.name;
    *APPEND(role->packages_when, row, role->packages_when_cap) = named.when;
    return result;
}

static int append_directory(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"path", read_path, offsetof(struct directory, path), true},
        {"mode", yaml_read_mode, offsetof(struct directory, mode), false},
        {"when", when_read, offsetof(struct directory, when), false},
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
        {"when", when_read, offsetof(struct binary, when), false},
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

static int read_pki_file(struct yaml_ref ref, struct pki_file *file, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"file", read_plain, offsetof(struct pki_file, file), true},
        {"path", read_path, offsetof(struct pki_file, path), true},
        {"mode", yaml_read_mode, offsetof(struct pki_file, mode), true},
        {"when", when_read, offsetof(struct pki_file, when), false},
    };
    return yaml_read_map(ref, fields, ARRAY_LEN(fields), file, err);
}

static int append_pki(struct yaml_ref ref, void *dest, struct error *err)
{
    struct role *role = dest;
    return read_pki_file(ref, APPEND(role->pki, role->pki_count, role->pki_cap), err);
}

static int append_identity(struct yaml_ref ref, void *dest, struct error *err)
{
    struct role *role = dest;
    struct pki_file *file = APPEND(role->identity, role->identity_count, role->identity_cap);
    if (read_pki_file(ref, file, err) < 0 || check_node_names(ref, file->file, err) < 0)
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
        {"when", when_read, offsetof(struct unit, when), false},
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

LIST_READER(read_overlays, append_overlay)
LIST_READER(read_packages, append_package)
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
        {"overlays", read_overlays, 0, true},
        {"packages", read_packages, 0, true},
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

static int append_mode(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    enum identity_mode mode = identity_of_word(text);
    if (strcmp(identity_words[mode], text) != 0)
        return yaml_error(ref, err, "'%.64s' is no identity mode: image, bootstrap or metadata",
                          text);
    *(unsigned *)dest |= 1U << mode;
    return 0;
}

static int read_modes(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 1, IDENTITY_MODES, append_mode, dest, err);
}

static int read_names(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (strcmp(text, "cluster") != 0 && strcmp(text, "launch") != 0)
        return yaml_error(ref, err, "'%.64s' is not where names come from: cluster or launch",
                          text);
    *(bool *)dest = strcmp(text, "launch") == 0;
    return 0;
}

static int read_domain(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    if (!dns_name_valid(text))
        return yaml_error(ref, err, "'%.64s' is not a DNS name such as cluster.local", text);
    *(char **)dest = heap_copy(text);
    return 0;
}

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
        {"identities", read_modes, offsetof(struct profile, identities), false},
        {"names", read_names, offsetof(struct profile, names_at_launch), false},
        {"domain", read_domain, offsetof(struct profile, domain), false},
        {"facts", profile_read_facts, 0, true},
        {"values", profile_read_values, 0, false},
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
    if (!profile->identities)
        profile->identities = 1U << IDENTITY_IMAGE;
    if (!profile->domain)
        profile->domain = heap_copy("cluster.local");
    *out = steal(profile);
    return 0;
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
    free(role->overlays_when);
    free(role->packages_when);
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

void profile_free(struct profile *profile)
{
    if (!profile)
        return;
    for (size_t i = 0; i < profile->role_count; i++)
        free_role(&profile->roles[i]);
    for (size_t i = 0; i < profile->fact_count; i++)
        node_fact_free(&profile->facts[i]);
    for (size_t i = 0; i < profile->value_count; i++) {
        free(profile->values[i].name);
        free(profile->values[i].text);
    }
    free(profile->values);
    free(profile->roles);
    free(profile->facts);
    free(profile->tested);
    free(profile->domain);
    free(profile->name);
    free(profile->file);
    free(profile);
}

void profile_free_at(struct profile **profile)
{
    profile_free(*profile);
}
