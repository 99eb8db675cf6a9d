#include "firstboot/forget.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/file.h"

/* Splits a path; NULL when its directory is not there. */
static struct dir *dir_of(struct dirs *dirs, const char *path, const char **base)
{
    char above[DIR_PATH_MAX];
    *base = strrchr(path, '/') + 1;
    int n = *base - path == 1 ? 1 : (int)(*base - path - 1);
    snprintf(above, sizeof above, "%.*s", n,
             path); /* one that is cut off is too long for dirs, too */
    return dirs_find(dirs, above);
}

/* Regular files only: a link may be the image's own, and leads to one. */
static int take_away(struct dir *dir, const char *name, struct error *err)
{
    struct stat st;
    if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_errno(err, "%s/%s", dir->path, name);
    if (!S_ISREG(st.st_mode))
        return 0;
    if (unlinkat(dir->fd, name, 0) < 0)
        return error_errno(err, "take %s/%s away", dir->path, name);
    dir->dirty = true;
    return 0;
}

/* As getdents64 writes it; readdir would want memory. */
struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t size;
    uint8_t type;
    char name[];
};

/* Is it a file that this run is about to put in place? */
static bool is_staged(const char *name)
{
    static const char end[] = ".nodebake";
    size_t n = strlen(name);
    return name[0] == '.' && n >= sizeof end && strcmp(name + n - sizeof end + 1, end) == 0;
}

/* Those whose names begin with `stem`, n bytes. */
static int take_away_all(struct dir *dir, const char *stem, size_t n, struct error *err)
{
    _Alignas(struct entry) char bytes[4096];
    long got;
    lseek(dir->fd, 0, SEEK_SET);
    while ((got = syscall(SYS_getdents64, dir->fd, bytes, sizeof bytes)) > 0)
        for (long at = 0; at < got;) {
            const struct entry *e = (const void *)(bytes + at);
            at += e->size;
            if (strncmp(e->name, stem, n) == 0 && !is_staged(e->name) &&
                take_away(dir, e->name, err) < 0)
                return -1;
        }
    return got < 0 ? error_errno(err, "list %s", dir->path) : 0;
}

static int forget_line(const char *path, struct dirs *dirs, struct error *err)
{
    const char *base;
    struct dir *dir = dir_of(dirs, path, &base);
    size_t n = strlen(base);
    if (!dir)
        return dirs_is_absent() ? 0 : error_errno(err, "%s", path);
    return base[n - 1] == '*' ? take_away_all(dir, base, n - 1, err) : take_away(dir, base, err);
}

/* As an image has it before its first boot; what is no file of systemd's is left alone. */
static int forget_machine_id(struct dirs *dirs, struct error *err)
{
    static const char text[] = "uninitialized\n", temp[] = ".machine-id.nodebake";
    struct stat st;
    struct dir *etc = dirs_find(dirs, "/etc");
    if (!etc && !dirs_is_absent())
        return error_errno(err, "/etc");
    if (!etc || fstatat(etc->fd, "machine-id", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(st.st_mode))
        return 0;
    etc->dirty = true;
    if (file_stage(etc->fd, temp, text, sizeof text - 1, 0444, 0, 0, err) < 0)
        error_context(err, "/etc");
    else if (renameat(etc->fd, temp, etc->fd, "machine-id") < 0)
        error_errno(err, "put /etc/machine-id in place");
    else
        return 0;
    unlinkat(etc->fd, temp, 0);
    return -1;
}

/* One that cannot be forgotten keeps none of the others; the first error is told. The machine-id
 * comes last: its new file wants room, which the others may have made. */
int forget(const struct contract *c, const struct stamp *found, struct dirs *dirs,
           struct error *err)
{
    struct error later = ERROR_INIT, *told = err;
    for (unsigned i = 0; i < c->forget_count; i++)
        if (forget_line(c->forgets[i], dirs, told) < 0)
            told = &later;
    for (unsigned i = 0; i < found->file_count; i++)
        if (forget_line(found->files[i], dirs, told) < 0)
            told = &later;
    if (forget_machine_id(dirs, told) < 0)
        told = &later;
    return dirs_sync(dirs, told) < 0 || told != err ? -1 : 0;
}
