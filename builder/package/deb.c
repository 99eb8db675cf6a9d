#include "builder/package/deb.h"

#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/package/deb-walk.h"
#include "common/cleanup.h"

enum { NAME_MAX_LEN = 128, VERSION_MAX_LEN = 256 };

const struct deb_control *deb_control(const struct deb *deb, const char *name)
{
    for (size_t i = 0; i < deb->control_count; i++)
        if (strcmp(deb->controls[i].name, name) == 0)
            return &deb->controls[i];
    return NULL;
}

struct dpkg_text deb_field(const struct deb *deb, const char *field)
{
    const struct deb_control *control = deb_control(deb, "control");
    struct dpkg_text none = {"", 0};
    return control ? dpkg_field((struct dpkg_text){control->text, control->len}, field) : none;
}

/* "./control" is "control"; NULL for names that cannot stand in dpkg's folder. */
static const char *control_name(const char *path)
{
    if (!path)
        return NULL;
    if (strncmp(path, "./", 2) == 0)
        path += 2;
    size_t n = strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    return n > 0 && path[n] == '\0' ? path : NULL;
}

static int read_all(struct archive *tar, const char *name, char *text, size_t len,
                    struct error *err)
{
    for (size_t done = 0; done < len;) {
        la_ssize_t n = archive_read_data(tar, text + done, len - done);
        if (n <= 0) {
            const char *why = n < 0 ? archive_error_string(tar) : NULL;
            return error_set(err, "control file %s: %s", name, why ? why : "ends early");
        }
        done += (size_t)n;
    }
    return 0;
}

static int take_control(struct archive *tar, struct archive_entry *entry, void *ctx,
                        struct error *err)
{
    struct deb *deb = ctx;
    const char *path = archive_entry_pathname(entry);
    if (path && archive_entry_filetype(entry) == AE_IFDIR &&
        (strcmp(path, "./") == 0 || strcmp(path, ".") == 0))
        return 0;
    const char *name = control_name(path);
    if (!name || archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
        archive_entry_sparse_count(entry) > 0)
        return error_set(err, "control file %.100s: not a plain file of a plain name",
                         path ? path : "(no name)");
    if (deb_control(deb, name))
        return error_set(err, "control file %s stands in it twice", name);
    struct deb_control *control = APPEND(deb->controls, deb->control_count, deb->control_cap);
    *control = (struct deb_control){.name = heap_copy(name),
                                    .len = (size_t)archive_entry_size(entry),
                                    .mode = archive_entry_perm(entry),
                                    .mtime = archive_entry_mtime(entry)};
    control->text = heap_array(control->len + 1, 1);
    return read_all(tar, name, control->text, control->len, err);
}

static char *text_copy(struct dpkg_text text)
{
    return heap_printf("%.*s", (int)text.len, text.at);
}

/* Package names and architectures become parts of file names. */
static bool name_valid(const char *name, size_t least)
{
    size_t n = strlen(name);
    return n >= least && n <= NAME_MAX_LEN && isalnum((unsigned char)name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == n;
}

static bool version_valid(const char *version)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-~:";
    size_t n = strlen(version), epoch = strspn(version, "0123456789");
    const char *upstream = version[epoch] == ':' ? version + epoch + 1 : version;
    return n > 0 && n <= VERSION_MAX_LEN && strspn(version, allowed) == n && epoch < 10 &&
           isdigit((unsigned char)upstream[0]) && (upstream != version || !strchr(version, ':'));
}

/* The file has one stanza; one that nobody would read is a mistake. */
static int check_stanza(const struct deb_control *control, struct error *err)
{
    if (memchr(control->text, '\0', control->len))
        return error_set(err, "its control file holds a NUL byte");
    struct dpkg_text rest = {control->text, control->len}, stanza;
    if (!dpkg_next(&rest, &stanza) || dpkg_next(&rest, &stanza))
        return error_set(err, "its control file does not hold exactly one stanza");
    return 0;
}

static int read_fields(struct deb *deb, struct error *err)
{
    const struct deb_control *control = deb_control(deb, "control");
    if (!control)
        return error_set(err, "holds no control file");
    if (check_stanza(control, err) < 0)
        return -1;
    deb->name = text_copy(deb_field(deb, "Package"));
    deb->version = text_copy(deb_field(deb, "Version"));
    deb->architecture = text_copy(deb_field(deb, "Architecture"));
    deb->multi_arch = text_copy(deb_field(deb, "Multi-Arch"));
    if (!name_valid(deb->name, 2))
        return error_set(err, "'%.64s' is no name of a package", deb->name);
    if (!version_valid(deb->version))
        return error_set(err, "'%.64s' is no version of a package", deb->version);
    if (!name_valid(deb->architecture, 1))
        return error_set(err, "'%.64s' is no architecture", deb->architecture);
    return 0;
}

static int read_control(struct deb *deb, const char *sha256, struct error *err)
{
    static const struct deb_bounds bounds = {DEB_CONTROLS_MAX, DEB_CONTROL_BYTES_MAX};
    int fd AUTO_CLOSE = open(deb->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_errno(err, "open");
    if (sha256)
        memcpy(deb->sha256, sha256, strnlen(sha256, DIGEST_HEX_MAX - 1));
    else if (digest_fd(fd, "sha256", NULL, deb->sha256, err) < 0)
        return -1;
    if (deb_walk(fd, "control", &bounds, take_control, deb, err) < 0)
        return -1;
    return read_fields(deb, err);
}

int deb_open(const char *path, const char *sha256, struct deb **out, struct error *err)
{
    struct deb *deb AUTO_DEB = heap_array(1, sizeof *deb);
    deb->path = heap_copy(path);
    if (read_control(deb, sha256, err) < 0)
        return error_context(err, "%s", path);
    *out = steal(deb);
    return 0;
}

void deb_free(struct deb *deb)
{
    if (!deb)
        return;
    for (size_t i = 0; i < deb->control_count; i++) {
        free(deb->controls[i].name);
        free(deb->controls[i].text);
    }
    for (size_t i = 0; i < deb->item_count; i++) {
        entry_free(&deb->items[i].entry);
        free(deb->items[i].user);
        free(deb->items[i].group);
    }
    free(deb->controls);
    free(deb->items);
    free(deb->path);
    free(deb->name);
    free(deb->version);
    free(deb->architecture);
    free(deb->multi_arch);
    free(deb);
}

void deb_free_at(struct deb **deb)
{
    deb_free(*deb);
}
