#include "firstboot/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firstboot/resolve.h"

void dirs_init(struct dirs *d, int root)
{
    d->root = root;
    d->count = 0;
}

/* NULL with errno when it cannot be opened. */
static struct dir *lookup(struct dirs *d, const char *path)
{
    for (unsigned i = 0; i < d->count; i++)
        if (strcmp(d->list[i].path, path) == 0)
            return &d->list[i];
    struct dir *new = &d->list[d->count];
    if (d->count == DIRS_MAX) {
        errno = EMFILE;
        return NULL;
    }
    if (snprintf(new->path, sizeof new->path, "%s", path) >= (int)sizeof new->path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    new->fd = resolve_open(d->root, path, O_RDONLY | O_DIRECTORY);
    if (new->fd < 0)
        return NULL;
    new->dirty = false;
    d->count++;
    return new;
}

/* A new directory may have the owner or the mode of a set-gid parent, or of this process. */
static int adopt(const struct dir *dir)
{
    struct stat st;
    if (fstat(dir->fd, &st) < 0)
        return -1;
    if ((st.st_uid || st.st_gid) && fchown(dir->fd, 0, 0) < 0)
        return -1;
    return (st.st_mode & 07777) == 0755 ? 0 : fchmod(dir->fd, 0755);
}

static struct dir *make_one(struct dirs *d, struct dir *parent, const char *path, const char *name,
                            struct error *err)
{
    if (mkdirat(parent->fd, name, 0755) < 0) {
        if (errno == EEXIST)
            error_set(err, "%s: a link that leads nowhere; right is a directory", path);
        else
            error_errno(err, "make directory %s", path);
        return NULL;
    }
    parent->dirty = true;
    struct dir *made = lookup(d, path);
    if (!made || adopt(made) < 0) {
        error_errno(err, "make directory %s", path);
        return NULL;
    }
    return made;
}

struct dir *dirs_make(struct dirs *d, const char *path, struct error *err)
{
    struct dir *dir = lookup(d, path);
    if (dir)
        return dir;
    if (errno != ENOENT) {
        error_errno(err, "%s", path);
        return NULL;
    }
    char prefix[DIR_PATH_MAX];
    size_t len = strlen(path); /* fits: lookup has copied it */
    memcpy(prefix, path, len + 1);
    struct dir *parent = lookup(d, "/");
    bool missing = false; /* so is all that is below it */
    for (size_t start = 1; parent && start < len;) {
        size_t end = start + strcspn(path + start, "/");
        prefix[end] = '\0';
        bool whole = end == len; /* that it is missing is why we are here */
        dir = missing || whole ? NULL : lookup(d, prefix);
        missing = missing || whole || (!dir && errno == ENOENT);
        parent = missing ? make_one(d, parent, prefix, prefix + start, err) : dir;
        if (!parent && missing)
            return NULL;
        prefix[end] = end < len ? '/' : '\0';
        start = end + 1;
    }
    if (!parent)
        error_errno(err, "%s", path);
    return parent;
}

struct dir *dirs_find(struct dirs *d, const char *path)
{
    return lookup(d, path);
}

bool dirs_is_absent(void)
{
    return errno == ENOENT || errno == ENOTDIR;
}

struct dir *dirs_of_file(struct dirs *d, const char *path, const char **base, struct error *err)
{
    char parent[DIR_PATH_MAX];
    const char *slash = strrchr(path, '/');
    int n = slash == path ? 1 : (int)(slash - path);
    if (n >= (int)sizeof parent) {
        error_set(err, "%s: path too long", path);
        return NULL;
    }
    memcpy(parent, path, (size_t)n);
    parent[n] = '\0';
    *base = slash + 1;
    return dirs_make(d, parent, err);
}

int dirs_sync(struct dirs *d, struct error *err)
{
    for (unsigned i = 0; i < d->count; i++) {
        struct dir *dir = &d->list[i];
        if (dir->dirty && fsync(dir->fd) < 0)
            return error_errno(err, "sync directory %s", dir->path);
        dir->dirty = false;
    }
    return 0;
}

void dirs_close(struct dirs *d)
{
    while (d->count)
        close(d->list[--d->count].fd);
}
