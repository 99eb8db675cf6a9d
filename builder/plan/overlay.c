#include "builder/plan/overlay.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cluster/settings.h"
#include "builder/heap.h"

enum { NAME_BYTES_MAX = 245 };

static void free_file(struct overlay_file *file)
{
    free(file->path);
    free(file->host);
    free(file->text);
    free(file->name);
    free(file->place);
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

/* Puts the file into the list, in place of one with its path; takes its strings over, also on
 * -1. */
static int put(struct overlay_list *list, struct overlay_file file, struct error *err)
{
    struct overlay_file *slot = NULL;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->files[i].path, file.path) == 0)
            slot = &list->files[i];
    if (!slot && list->count == OVERLAY_FILES_MAX) {
        error_set(err, "%s: overlays and files of cluster.yaml have more than %d files in all",
                  file.place ? file.place : file.name, OVERLAY_FILES_MAX);
        free_file(&file);
        return -1;
    }
    if (slot)
        free_file(slot);
    else
        slot = APPEND(list->files, list->count, list->cap);
    *slot = file;
    return 0;
}

/* The contract, in which the path may have to stand, takes no more. */
static bool path_fits(const char *path)
{
    for (const char *p = path; *p; p++)
        if (*p <= ' ' || *p > '~')
            return false;
    return strlen(strrchr(path, '/') + 1) <= NAME_BYTES_MAX;
}

/* The folder that is walked. */
struct folder {
    const char *root;    /* on the host */
    const char *overlay; /* its name, for people */
    bool own;            /* the user's */
};

static int add_file(const struct folder *from, const char *host, const char *path,
                    const struct stat *st, struct overlay_list *list, struct error *err)
{
    char *target = NULL;
    if (!path_fits(path))
        return error_set(err,
                         "%s: the path of an overlay's file is printable ASCII without spaces, its "
                         "name at most %d bytes",
                         host, NAME_BYTES_MAX);
    if (S_ISLNK(st->st_mode) && read_link(host, &target, err) < 0)
        return -1;
    struct overlay_file file = {
        .path = heap_copy(path),
        .host = heap_copy(host),
        .name = heap_printf("%s%s", from->overlay, path),
        .place = from->own ? heap_copy(host) : NULL,
        .link = target,
        /* Of the mode only the x bit is kept, as git keeps it. */
        .mode = st->st_mode & S_IXUSR ? 0755 : 0644,
    };
    return put(list, file, err);
}

static int walk(const struct folder *from, const char *path, struct overlay_list *list,
                struct error *err);

static int add_name(const struct folder *from, const char *path, struct overlay_list *list,
                    struct error *err)
{
    char *host AUTO_FREE = heap_printf("%s%s", from->root, path);
    struct stat st;
    if (lstat(host, &st) < 0)
        return error_errno(err, "%s", host);
    if (S_ISDIR(st.st_mode))
        return walk(from, path, list, err);
    if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
        return add_file(from, host, path, &st, list, err);
    return error_set(err, "%s: neither file, link nor folder; an overlay holds only these", host);
}

static int walk(const struct folder *from, const char *path, struct overlay_list *list,
                struct error *err)
{
    char *host AUTO_FREE = heap_printf("%s%s", from->root, path);
    if (strlen(path) >= PATH_MAX / 2)
        return error_set(err, "%s: path too long", host);
    DIR *dir = opendir(host);
    if (!dir)
        return error_errno(err, "overlay %s: %s", from->overlay, host);
    int result = 0;
    for (struct dirent *d; result == 0 && (errno = 0, d = readdir(dir));) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        char *child AUTO_FREE = heap_printf("%s/%s", path, d->d_name);
        result = add_name(from, child, list, err);
    }
    closedir(dir);
    return result;
}

int overlay_add(const char *data, const char *overlay, struct overlay_list *list, struct error *err)
{
    char *root AUTO_FREE = heap_printf("%s/overlays/%s", data, overlay);
    return walk(&(struct folder){root, overlay, false}, "", list, err);
}

int overlay_add_folder(const char *folder, struct overlay_list *list, struct error *err)
{
    return walk(&(struct folder){folder, folder, true}, "", list, err);
}

int overlay_add_own(const struct own_file *own, const char *cluster, struct overlay_list *list,
                    struct error *err)
{
    struct overlay_file file = {
        .path = heap_copy(own->path),
        .host = heap_copy(own->host),
        .text = heap_copy(own->content),
        .place = heap_printf("%s:%u", cluster, own->line),
        .mode = own->mode,
        .uid = own->uid,
        .gid = own->gid,
    };
    return put(list, file, err);
}

void overlay_list_remove(struct overlay_list *list, size_t i)
{
    free_file(&list->files[i]);
    memmove(&list->files[i], &list->files[i + 1], (--list->count - i) * sizeof *list->files);
}

void overlay_list_free(struct overlay_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free_file(&list->files[i]);
    free(list->files);
}
