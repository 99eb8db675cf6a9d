#include "builder/lab/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/console.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { LOG_MAX = 1 << 20 };

extern char **environ;

/* Returns an errno value, as the calls that it makes do. */
static int set_files(posix_spawn_file_actions_t *files, const char *dir, const char *log)
{
    int rc = dir ? posix_spawn_file_actions_addchdir_np(files, dir) : 0;
    rc = rc ? rc : posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    rc = rc ? rc
            : posix_spawn_file_actions_addopen(files, STDOUT_FILENO, log,
                                               O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    return rc ? rc : posix_spawn_file_actions_adddup2(files, STDOUT_FILENO, STDERR_FILENO);
}

static int set_signals(posix_spawnattr_t *attr)
{
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    int rc = posix_spawnattr_setsigmask(attr, &none);
    rc = rc ? rc : posix_spawnattr_setsigdefault(attr, &defaults);
    return rc ? rc : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* Daemons are in /usr/sbin, which an ordinary user's PATH lacks. */
static int spawn(const char *const *argv, const posix_spawn_file_actions_t *files,
                 const posix_spawnattr_t *attr, pid_t *pid)
{
    int rc = posix_spawnp(pid, argv[0], files, attr, (char *const *)argv, environ);
    if (rc != ENOENT || strchr(argv[0], '/'))
        return rc;
    char *path AUTO_FREE = heap_printf("/usr/sbin/%s", argv[0]);
    return posix_spawn(pid, path, files, attr, (char *const *)argv, environ);
}

int child_spawn(const char *const *argv, const char *dir, const char *log, pid_t *pid,
                struct error *err)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int rc = posix_spawn_file_actions_init(&files);
    if (rc == 0) {
        rc = posix_spawnattr_init(&attr);
        if (rc == 0) {
            rc = set_files(&files, dir, log);
            rc = rc ? rc : set_signals(&attr);
            rc = rc ? rc : spawn(argv, &files, &attr, pid);
            posix_spawnattr_destroy(&attr);
        }
        posix_spawn_file_actions_destroy(&files);
    }
    errno = rc;
    return rc ? error_errno(err, "run %s", argv[0]) : 0;
}

/* Leaves the standard streams and 3, which is `keep`. */
static void close_others(int keep)
{
    if (keep >= 0 && keep != 3)
        dup2(keep, 3);
    close_range(keep >= 0 ? 4 : 3, ~0U, 0);
}

int child_fork(int (*function)(void *ctx), void *ctx, int keep, const char *log, pid_t *pid,
               struct error *err)
{
    *pid = fork();
    if (*pid < 0)
        return error_errno(err, "fork");
    if (*pid > 0)
        return 0;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int fd = log ? open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
    }
    close_others(keep);
    _exit(function(ctx));
}

void child_last_words(const char *dir, const char *log, char *text, size_t n)
{
    struct error ignored = ERROR_INIT;
    struct buffer all AUTO_BUFFER = buffer_heap();
    char *path AUTO_FREE = heap_printf("%s%s%s", dir ? dir : "", dir ? "/" : "", log);
    *text = '\0';
    if (file_read(AT_FDCWD, path, LOG_MAX, &all, &ignored) < 0)
        return;
    while (all.len && strchr("\r\n ", all.data[all.len - 1]))
        all.data[--all.len] = '\0';
    const char *last = all.len ? strrchr(all.data, '\n') : NULL;
    snprintf(text, n, "%s", last ? last + 1 : all.len ? all.data : "");
    console_printable(text);
}
