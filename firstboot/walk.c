#include "firstboot/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

enum {
    PATH_ROOM = 4096,
    RESTARTS_MAX = 64, /* links and `..` of one path; the kernel follows 40 links */
};

/* A walk without openat2, component by component. `done` holds no links, so that each link and
 * each `..` can be answered by starting again at the root with a path that is one step simpler:
 *
 *     todo /bin/sh            bin is a link to usr/bin
 *     todo /usr/bin/sh        from the root again
 */
struct walk {
    int root;
    int fd; /* where `done` leads; -1: the root */
    unsigned restarts;
    char done[PATH_ROOM];
    char todo[PATH_ROOM];
    char *next; /* in todo */
};

/* Goes back to the root with head/rest to do. */
static int walk_restart(struct walk *w, const char *head, const char *rest)
{
    char todo[PATH_ROOM];
    int n = snprintf(todo, sizeof todo, "%s/%s", head, rest);
    if (n >= (int)sizeof todo)
        errno = ENAMETOOLONG;
    else if (++w->restarts > RESTARTS_MAX)
        errno = ELOOP;
    else {
        memcpy(w->todo, todo, (size_t)n + 1);
        w->next = w->todo;
        w->done[0] = '\0';
        cleanup_close(&w->fd);
        return 0;
    }
    return -1;
}

static int walk_link(struct walk *w, const char *name, const char *rest)
{
    char target[PATH_ROOM], head[PATH_ROOM];
    ssize_t n = readlinkat(w->fd < 0 ? w->root : w->fd, name, target, sizeof target);
    if (n < 0 && errno == EINVAL)
        errno = ENOTDIR;
    if (n < 0)
        return -1;
    if (n == sizeof target) {
        errno = ENAMETOOLONG;
        return -1;
    }
    target[n] = '\0';
    if (target[0] == '/')
        return walk_restart(w, target, rest);
    if (snprintf(head, sizeof head, "%s/%s", w->done, target) >= (int)sizeof head) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return walk_restart(w, head, rest);
}

static int walk_up(struct walk *w, const char *rest)
{
    char head[PATH_ROOM];
    char *slash = strrchr(w->done, '/');
    size_t n = slash ? (size_t)(slash - w->done) : 0;
    memcpy(head, w->done, n);
    head[n] = '\0';
    return walk_restart(w, head, rest);
}

/* The next component, NULL at the end; w->next moves to what is behind it. */
static char *walk_next(struct walk *w)
{
    char *name = w->next + strspn(w->next, "/");
    char *end = name + strcspn(name, "/");
    w->next = end + strspn(end, "/");
    *end = '\0';
    return *name ? name : NULL;
}

/* openat2 follows the last link for O_PATH too; openat with O_NOFOLLOW gives the link itself. */
static bool is_link(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

/* Enters `name`, or restarts when it is a link. The last component is opened with `flags`: the
 * descriptor stays in w->fd. */
static int walk_enter(struct walk *w, const char *name, int flags)
{
    bool last = *w->next == '\0';
    int at = w->fd < 0 ? w->root : w->fd;
    int fd = openat(at, name, (last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP || errno == ENOTDIR ? walk_link(w, name, w->next) : -1;
    if (is_link(fd)) {
        close(fd);
        return walk_link(w, name, w->next);
    }
    cleanup_close(&w->fd);
    w->fd = fd;
    size_t used = strlen(w->done);
    snprintf(w->done + used, sizeof w->done - used, "/%s", name);
    return last;
}

int walk_open(int rootfd, const char *path, int flags)
{
    struct walk w = {.root = rootfd, .fd = -1};
    int got = walk_restart(&w, "", path);
    while (got == 0) {
        char *name = walk_next(&w);
        if (!name) {
            /* The path ended in `.` or `..`, or is the root: w.fd was opened to be passed. */
            int fd = openat(w.fd < 0 ? rootfd : w.fd, ".", flags | O_CLOEXEC);
            cleanup_close(&w.fd);
            return fd;
        }
        if (strcmp(name, "..") == 0)
            got = walk_up(&w, w.next);
        else if (strcmp(name, ".") != 0)
            got = walk_enter(&w, name, flags);
    }
    if (got < 0)
        cleanup_close(&w.fd);
    return w.fd;
}
