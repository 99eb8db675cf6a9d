/* The user's own files and units. */
#include <stdlib.h>
#include <string.h>

#include "builder/cluster/read-forms.h"
#include "builder/cluster/read-settings.h"
#include "builder/heap.h"

static const uint64_t ID_MAX = 4294967294; /* the next one means "no change" to chown(2) */

static int image_path(struct yaml_ref ref, void *dest, struct error *err)
{
    return read_form(ref, form_path, dest, err);
}

static int unit_name(struct yaml_ref ref, void *dest, struct error *err)
{
    return read_form(ref, form_unit, dest, err);
}

/* A text of several lines. */
static int content(struct yaml_ref ref, void *dest, struct error *err)
{
    char **text = dest;
    const char *scalar;
    if (yaml_scalar(ref, &scalar, err) < 0)
        return -1;
    for (const char *p = scalar; *p; p++)
        if (((unsigned char)*p < ' ' && !strchr("\n\t", *p)) || *p == 0x7f)
            return yaml_error(ref, err, "the content holds a control byte (0x%02x); use `source`",
                              (unsigned char)*p);
    if (strlen(scalar) > SETTINGS_TEXT_MAX)
        return yaml_error(ref, err, "the content has more than %d KiB; use `source`",
                          SETTINGS_TEXT_MAX / 1024);
    free(*text);
    *text = heap_copy(scalar);
    return 0;
}

static int id(struct yaml_ref ref, void *dest, struct error *err)
{
    const char *text;
    if (yaml_scalar(ref, &text, err) < 0)
        return -1;
    size_t digits = strspn(text, "0123456789");
    uint64_t value = digits && digits <= 10 ? strtoull(text, NULL, 10) : ID_MAX + 1;
    if (text[digits] || value > ID_MAX)
        return yaml_error(ref, err, "'%.64s' is not an id; write a number of at most %llu", text,
                          (unsigned long long)ID_MAX);
    *(uid_t *)dest = (uid_t)value;
    return 0;
}

/* A file while it is read: `source` notes its path in the spec. */
struct file_reading {
    struct spec *spec;
    struct own_file file;
};

static int source(struct yaml_ref ref, void *dest, struct error *err)
{
    struct file_reading *r = dest;
    return read_path(ref, false, "name the file whose content it gets", r->spec, &r->file.host,
                     err);
}

static int check_file(struct yaml_ref ref, const struct settings *s, const struct own_file *file,
                      struct error *err)
{
    if (!file->content == !file->host)
        return yaml_error(ref, err, "give either `content` or `source`");
    for (size_t i = 0; i < s->file_count; i++)
        if (strcmp(s->files[i].path, file->path) == 0)
            return yaml_error(ref, err, "%s stands on line %u already", file->path,
                              s->files[i].line);
    return 0;
}

static int read_file(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"path", image_path, offsetof(struct file_reading, file.path), true},
        {"content", content, offsetof(struct file_reading, file.content), false},
        {"source", source, 0, false},
        {"mode", yaml_read_mode, offsetof(struct file_reading, file.mode), false},
        {"uid", id, offsetof(struct file_reading, file.uid), false},
        {"gid", id, offsetof(struct file_reading, file.gid), false},
    };
    struct settings *s = &((struct spec *)dest)->settings;
    struct file_reading r = {dest, {.mode = 0644, .line = yaml_line(ref)}};
    if (yaml_read_map(ref, fields, ARRAY_LEN(fields), &r, err) < 0 ||
        check_file(ref, s, &r.file, err) < 0) {
        free(r.file.path);
        free(r.file.content);
        free(r.file.host);
        return -1;
    }
    *APPEND(s->files, s->file_count, s->file_cap) = r.file;
    return 0;
}

int read_files(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, SETTINGS_LIST_MAX, read_file, dest, err);
}

static int unit_state(struct yaml_ref ref, void *dest, struct error *err)
{
    static const char *const words[] = {"enabled", "disabled", "masked", NULL};
    static const enum own_unit_state states[] = {OWN_UNIT_ENABLED, OWN_UNIT_DISABLED,
                                                 OWN_UNIT_MASKED};
    int choice = 0;
    if (read_choice(ref, words, &choice, err) < 0)
        return -1;
    *(enum own_unit_state *)dest = states[choice];
    return 0;
}

static int check_unit(struct yaml_ref ref, const struct settings *s, struct own_unit *unit,
                      struct error *err)
{
    if (unit->wanted_by && unit->state != OWN_UNIT_ENABLED)
        return yaml_error(ref, err, "only an enabled unit has `wantedBy`");
    for (size_t i = 0; i < s->unit_count; i++)
        if (strcmp(s->units[i].name, unit->name) == 0)
            return yaml_error(ref, err, "%s stands on line %u already", unit->name,
                              s->units[i].line);
    if (!unit->wanted_by && unit->state == OWN_UNIT_ENABLED)
        unit->wanted_by = heap_copy("multi-user.target");
    return 0;
}

static int read_unit(struct yaml_ref ref, void *dest, struct error *err)
{
    static const struct yaml_field fields[] = {
        {"name", unit_name, offsetof(struct own_unit, name), true},
        {"state", unit_state, offsetof(struct own_unit, state), true},
        {"wantedBy", unit_name, offsetof(struct own_unit, wanted_by), false},
    };
    struct settings *s = &((struct spec *)dest)->settings;
    struct own_unit unit = {.line = yaml_line(ref)};
    if (yaml_read_map(ref, fields, ARRAY_LEN(fields), &unit, err) < 0 ||
        check_unit(ref, s, &unit, err) < 0) {
        free(unit.name);
        free(unit.wanted_by);
        return -1;
    }
    *APPEND(s->units, s->unit_count, s->unit_cap) = unit;
    return 0;
}

int read_units(struct yaml_ref ref, void *dest, struct error *err)
{
    return yaml_read_list(ref, 0, SETTINGS_LIST_MAX, read_unit, dest, err);
}
