#include "builder/plan/overlay.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"

enum { NAME_BYTES_MAX = 245 };

static void free_file(struct overlay_file *file)
{
    free(file->path);
    free(file->host);
    free(file->name);
    free(file->link);
}

static int read_link(const char *host, char **out, struct error *err)
{
    char target[PATH_MAX];
    ssize_t n = readlink(host, target, sizeof target - 1);
    if (n <= 0)
        return error_errno(err, "read link %s", host);
    target[n] = '\0';
    *out = heap_copy(target);
    return 0;
}

/* The place of the path, which may be new; NULL when the list is full. */
static struct overlay_file *slot(struct overlay_list *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->files[i].path, path) == 0) {
            free_file(&list->files[i]);
            return &list->files[i];
        }
    }
    if (list->count == OVERLAY_FILES_MAX)
        return NULL;
    return APPEND(list->files, list->count, list->cap);
}

/* The contract, in which the path may have to stand, takes no more. */
static bool path_fits(const char *path)
{
    for (const char *p = path; *p; p++)
        if (*p <= ' ' || *p > '~')
            return false;
    return strlen(strrchr(path, '/') + 1) <= NAME_BYTES_MAX;
}

static int add_file(const char *host, const char *overlay, const char *path, const struct stat *st,
                    struct overlay_list *list, struct error *err)
{
    char *target = NULL;
    if (!path_fits(path))
        return error_set(err,
                         "%s: the path of an overlay's file is printable ASCII without spaces, its "
                         "name at most %d bytes",
                         host, NAME_BYTES_MAX);
    if (S_ISLNK(st->st_mode) && read_link(host, &target, err) < 0)
        return -1;
    struct overlay_file *file = slot(list, path);
    if (!file) {
        free(target);
        return error_set(err, "overlay %s: more than %d files in all", overlay, OVERLAY_FILES_MAX);
    }
    *file = (struct overlay_file){
        .path = heap_copy(path),
        .host = heap_copy(host),
        .name = heap_printf("%s%s", overlay, path),
        .link = target,
        /* Of the mode only the x bit is kept, as git keeps it. */
        .mode = st->st_mode & S_IXUSR ? 0755 : 0644,
    };
    return 0;
}

static int walk(const char *root, const char *overlay, const char *path, struct overlay_list *list,
                struct error *err);

static int add_name(const char *root, const char *overlay, const char *path,
                    struct overlay_list *list, struct error *err)
{
    char *host AUTO_FREE = heap_printf("%s%s", root, path);
    struct stat st;
    if (lstat(host, &st) < 0)
        return error_errno(err, "%s", host);
    if (S_ISDIR(st.st_mode))
        return walk(root, overlay, path, list, err);
    if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
        return add_file(host, overlay, path, &st, list, err);
    return error_set(err, "%s: neither file, link nor folder; an overlay holds only these", host);
}

static int walk(const char *root, const char *overlay, const char *path, struct overlay_list *list,
                struct error *err)
{
    char *host AUTO_FREE = heap_printf("%s%s", root, path);
    if (strlen(path) >= PATH_MAX / 2)
        return error_set(err, "%s: path too long", host);
    DIR *dir = opendir(host);
    if (!dir)
        return error_errno(err, "overlay %s: %s", overlay, host);
    int result = 0;
    for (struct dirent *d; result == 0 && (errno = 0, d = readdir(dir));) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        char *child AUTO_FREE = heap_printf("%s/%s", path, d->d_name);
        result = add_name(root, overlay, child, list, err);
    }
    closedir(dir);
    return result;
}

int overlay_add(const char *data, const char *overlay, struct overlay_list *list, struct error *err)
{
    char *root AUTO_FREE = heap_printf("%s/overlays/%s", data, overlay);
    return walk(root, overlay, "", list, err);
}

int overlay_add_folder(const char *folder, struct overlay_list *list, struct error *err)
{
    return walk(folder, folder, "", list, err);
}

void overlay_list_free(struct overlay_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free_file(&list->files[i]);
    free(list->files);
}
