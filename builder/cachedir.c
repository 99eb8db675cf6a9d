#include "builder/cachedir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "common/cleanup.h"

/* Makes the folder and those above it. */
static int make_folders(const char *path, struct error *err)
{
    char *copy AUTO_FREE = heap_copy(path);
    for (char *p = copy;; *p = '/') {
        p += strspn(p, "/");
        p += strcspn(p, "/");
        bool last = *p == '\0';
        *p = '\0';
        if (*copy && mkdir(copy, 0700) < 0 && errno != EEXIST)
            return error_errno(err, "create cache folder %s", copy);
        if (last)
            return 0;
    }
}

/* What is built from the cache runs as root on every node: nobody else may write there. */
static int open_own(const char *path, int *fd, struct error *err)
{
    struct stat st;
    int dir AUTO_CLOSE = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fstat(dir, &st) < 0)
        return error_errno(err, "cache folder %s", path);
    if (st.st_uid != geteuid())
        return error_set(err, "cache folder %s belongs to uid %u, not to you (uid %u): use another",
                         path, (unsigned)st.st_uid, (unsigned)geteuid());
    if (st.st_mode & 022)
        return error_set(err,
                         "cache folder %s has mode %04o, so that others can write there: "
                         "chmod go-w %s",
                         path, (unsigned)st.st_mode & 07777, path);
    *fd = steal_fd(&dir);
    return 0;
}

int cachedir_open(const char *cache, const char *name, bool create, int *fd, struct error *err)
{
    char *path AUTO_FREE = heap_printf("%s/%s", cache, name);
    int parent AUTO_CLOSE = -1;
    *fd = -1;
    if (create && make_folders(path, err) < 0)
        return -1;
    if (!create && access(path, F_OK) < 0 && errno == ENOENT)
        return 0;
    if (open_own(cache, &parent, err) < 0)
        return -1;
    return open_own(path, fd, err);
}
