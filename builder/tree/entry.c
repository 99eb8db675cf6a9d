#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/tree/tree.h"

enum { ENTRY_PATH_MAX = 1024 };

static const struct {
    const char *word, *name;
} types[] = {
    [ENTRY_DIR] = {"dir", "directory"}, [ENTRY_FILE] = {"file", "file"},
    [ENTRY_LINK] = {"link", "link"},    [ENTRY_HARDLINK] = {"hardlink", "hard link"},
    [ENTRY_GONE] = {"gone", "removal"},
};

const char *entry_type_word(enum entry_type type)
{
    return types[type].word;
}

const char *entry_type_name(enum entry_type type)
{
    return types[type].name;
}

static bool plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return true;
}

static bool component_clean(const char *name, size_t len)
{
    return len > 0 && len <= NAME_MAX && plain(name, len) && !(len == 1 && name[0] == '.') &&
           !(len == 2 && name[0] == '.' && name[1] == '.');
}

bool tree_path_clean(const char *path)
{
    if (path[0] != '/' || strlen(path) >= ENTRY_PATH_MAX)
        return false;
    for (const char *name = path + 1;; name++) {
        size_t len = strcspn(name, "/");
        if (!component_clean(name, len))
            return false;
        name += len;
        if (!*name)
            return true;
    }
}

static int check_path(const char *path, struct error *err)
{
    if (path && tree_path_clean(path))
        return 0;
    return error_set(err,
                     "%s: not a clean absolute path (begin with /, no '.', '..', empty or control "
                     "characters, less than %d bytes)",
                     path ? path : "(none)", ENTRY_PATH_MAX);
}

static int check_content(const struct entry *entry, struct error *err)
{
    if (entry->type == ENTRY_FILE && !entry->text == !entry->host)
        return error_set(err, "%s: a file needs either a text or a file of the host", entry->path);
    if (entry->type != ENTRY_FILE && (entry->text || entry->host))
        return error_set(err, "%s: a %s has no content", entry->path, entry_type_name(entry->type));
    return 0;
}

static int check_target(const struct entry *entry, struct error *err)
{
    if (entry->type == ENTRY_LINK && (!entry->target || !*entry->target))
        return error_set(err, "%s: a link needs a target", entry->path);
    if (entry->target && entry->type != ENTRY_LINK && entry->type != ENTRY_HARDLINK)
        return error_set(err, "%s: a %s has no target", entry->path, entry_type_name(entry->type));
    if (entry->type != ENTRY_HARDLINK)
        return 0;
    if (check_path(entry->target, err) < 0)
        return error_context(err, "%s: file of the hard link", entry->path);
    if (strcmp(entry->target, entry->path) == 0)
        return error_set(err, "%s: is a hard link to itself", entry->path);
    return 0;
}

static bool xattr_name_valid(const char *name)
{
    static const char *const spaces[] = {"security.", "system.", "trusted.", "user."};
    for (size_t i = 0; name && i < ARRAY_LEN(spaces); i++) {
        size_t len = strlen(spaces[i]);
        if (strncmp(name, spaces[i], len) == 0)
            return name[len] && strlen(name) <= XATTR_NAME_MAX && plain(name, strlen(name));
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

static int check_xattrs(struct entry *entry, struct error *err)
{
    if (entry->type == ENTRY_HARDLINK && entry->xattr_count)
        return error_set(err, "%s: a hard link has the extended attributes of its file",
                         entry->path);
    for (size_t i = 0; i < entry->xattr_count; i++) {
        const struct xattr *x = &entry->xattrs[i];
        if (!xattr_name_valid(x->name))
            return error_set(err,
                             "%s: extended attribute '%s': begin with user., security., system. or "
                             "trusted., %d bytes at most",
                             entry->path, x->name ? x->name : "", XATTR_NAME_MAX);
        if (x->len > XATTR_SIZE_MAX)
            return error_set(err, "%s: extended attribute %s is larger than %d bytes", entry->path,
                             x->name, XATTR_SIZE_MAX);
    }
    if (entry->xattr_count > 1)
        qsort(entry->xattrs, entry->xattr_count, sizeof *entry->xattrs, by_name);
    for (size_t i = 1; i < entry->xattr_count; i++)
        if (by_name(&entry->xattrs[i - 1], &entry->xattrs[i]) == 0)
            return error_set(err, "%s: extended attribute %s is given twice", entry->path,
                             entry->xattrs[i].name);
    return 0;
}

/* What is not there has nothing but its path. */
static int check_gone(const struct entry *entry, struct error *err)
{
    if (entry->type == ENTRY_GONE &&
        (entry->mode || entry->uid || entry->gid || entry->xattr_count))
        return error_set(err, "%s: a removal has no mode, owner or extended attributes",
                         entry->path);
    return 0;
}

int entry_check(struct entry *entry, struct error *err)
{
    if (check_path(entry->path, err) < 0 || check_gone(entry, err) < 0)
        return -1;
    if (entry->mode & ~(mode_t)07777)
        return error_set(err, "%s: mode %o is more than permission bits", entry->path, entry->mode);
    if (check_target(entry, err) < 0 || check_content(entry, err) < 0)
        return -1;
    return check_xattrs(entry, err);
}

int entry_size(const struct entry *entry, uint64_t *size, struct error *err)
{
    *size = entry->text ? entry->len : 0;
    if (entry->type != ENTRY_FILE || !entry->host)
        return 0;
    struct stat st;
    if (stat(entry->host, &st) < 0)
        return error_errno(err, "%s", entry->host);
    if (!S_ISREG(st.st_mode))
        return error_set(err, "%s: not a regular file", entry->host);
    *size = (uint64_t)st.st_size;
    return 0;
}

char *xattr_hex(const struct xattr *xattr)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = heap_array(xattr->len * 2 + 1, 1);
    for (size_t i = 0; i < xattr->len; i++) {
        unsigned char byte = (unsigned char)xattr->value[i];
        hex[i * 2] = digits[byte >> 4];
        hex[i * 2 + 1] = digits[byte & 15];
    }
    return hex;
}

void entry_free(struct entry *entry)
{
    if (entry->text)
        explicit_bzero(entry->text, entry->len);
    free(entry->path);
    free(entry->target);
    free(entry->text);
    free(entry->host);
    free(entry->source);
    for (size_t i = 0; i < entry->xattr_count; i++) {
        free(entry->xattrs[i].name);
        free(entry->xattrs[i].value);
    }
    free(entry->xattrs);
    *entry = (struct entry){0};
}
