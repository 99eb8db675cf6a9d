#include "builder/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/interrupt.h"
#include "common/cleanup.h"
#include "common/file.h"

enum {
    OUT_MAX_DEFAULT = 1 << 20,
    TAIL_MAX = 2048,  /* bytes of standard error that are kept */
    TAIL_CITED = 400, /* bytes of it that an error cites */
    KILL_GRACE = 5    /* seconds until a killed program must be gone */
};

extern char **environ;

/* The end of a stream. */
struct tail {
    char bytes[TAIL_MAX];
    size_t len;
};

/* A program that runs: its id and the ends that we read. */
struct child {
    pid_t pid;
    int pidfd, out, err;
    struct tail tail;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tail_add(struct tail *tail, const char *bytes, size_t n)
{
    if (n > TAIL_MAX) {
        bytes += n - TAIL_MAX;
        n = TAIL_MAX;
    }
    size_t kept = tail->len + n > TAIL_MAX ? TAIL_MAX - n : tail->len;
    memmove(tail->bytes, tail->bytes + tail->len - kept, kept);
    memcpy(tail->bytes + kept, bytes, n);
    tail->len = kept + n;
}

/* The last lines as one line of printable text; empty when nothing was said. */
static void tail_cite(const struct tail *tail, char text[TAIL_CITED + 1])
{
    size_t end = tail->len;
    while (end && strchr(" \r\n", tail->bytes[end - 1]))
        end--;
    size_t i = end > TAIL_CITED ? end - TAIL_CITED : 0, n = 0;
    for (; i < end; i++) {
        char c = tail->bytes[i];
        if (c == '\n' || c == '\r')
            c = n && text[n - 1] != ' ' ? '|' : ' ';
        text[n++] = (unsigned char)c < ' ' || c == 0x7f ? ' ' : c;
    }
    text[n] = '\0';
}

static bool overridden(const char *variable, const char *const *additions)
{
    size_t name = strcspn(variable, "=");
    for (; *additions; additions++)
        if (strncmp(variable, *additions, name) == 0 && (*additions)[name] == '=')
            return true;
    return false;
}

/* The strings stay whose they are; the array is the caller's. */
static char **environment_with(const char *const *additions)
{
    static const char *const none[] = {NULL};
    if (!additions)
        additions = none;
    size_t n = 0, count = 0;
    while (environ[n])
        n++;
    while (additions[count])
        count++;
    char **all = heap_array(n + count + 1, sizeof *all);
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        if (!overridden(environ[i], additions))
            all[used++] = environ[i];
    for (size_t i = 0; i < count; i++)
        all[used++] = (char *)additions[i];
    return all;
}

/* With a deadline the program leads a group of its own, so that all it started can be ended. */
static int set_attributes(posix_spawnattr_t *attr, bool own_group)
{
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (own_group)
        flags |= POSIX_SPAWN_SETPGROUP;
    int rc = posix_spawnattr_setsigmask(attr, &none);
    rc = rc ? rc : posix_spawnattr_setsigdefault(attr, &defaults);
    rc = rc ? rc : posix_spawnattr_setpgroup(attr, 0);
    return rc ? rc : posix_spawnattr_setflags(attr, flags);
}

/* A descriptor from which the text can be read, or -1. */
static int make_input(const char *text)
{
    int fd AUTO_CLOSE = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || file_write_all(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -1;
    return steal_fd(&fd);
}

static int set_input(posix_spawn_file_actions_t *files, const struct process *p, int in)
{
    if (p->no_input)
        return posix_spawn_file_actions_addclose(files, STDIN_FILENO);
    if (in >= 0)
        return posix_spawn_file_actions_adddup2(files, in, STDIN_FILENO);
    return posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
}

static int set_streams(posix_spawn_file_actions_t *files, const struct process *p, int in, int out,
                       int err)
{
    int rc = set_input(files, p, in);
    if (out >= 0)
        rc = rc ? rc : posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO);
    if (err >= 0)
        rc = rc ? rc : posix_spawn_file_actions_adddup2(files, err, STDERR_FILENO);
    return rc;
}

/* Returns an errno value. Tools for disks are in /usr/sbin, which an ordinary user's PATH lacks. */
static int spawn_program(const char *const *argv, const posix_spawn_file_actions_t *files,
                         const posix_spawnattr_t *attr, char *const *env, pid_t *pid)
{
    int rc = posix_spawnp(pid, argv[0], files, attr, (char *const *)argv, env);
    if (rc != ENOENT || strchr(argv[0], '/'))
        return rc;
    char *path AUTO_FREE = heap_printf("/usr/sbin/%s", argv[0]);
    return posix_spawn(pid, path, files, attr, (char *const *)argv, env);
}

/* Returns an errno value. */
static int spawn(const struct process *p, int out, int err, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int in AUTO_CLOSE = p->input ? make_input(p->input) : -1;
    if (p->input && in < 0)
        return errno;
    int rc = posix_spawn_file_actions_init(&files);
    if (rc)
        return rc;
    rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        char **env AUTO_FREE = environment_with(p->env);
        rc = set_attributes(&attr, p->deadline != 0);
        rc = rc ? rc : set_streams(&files, p, in, out, err);
        if (rc == 0)
            rc = spawn_program(p->argv, &files, &attr, env, pid);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

static int make_pipe(int ends[2], struct error *err)
{
    if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
        return error_errno(err, "pipe");
    return 0;
}

static void child_close(struct child *child)
{
    cleanup_close(&child->pidfd);
    cleanup_close(&child->out);
    cleanup_close(&child->err);
}

static int child_start(const struct process *p, struct child *child, struct error *err)
{
    int out[2] = {-1, -1}, errors[2] = {-1, -1}, rc;
    int result = -1;
    if (!p->pass && (make_pipe(out, err) < 0 || make_pipe(errors, err) < 0))
        goto out;
    rc = spawn(p, out[1], p->together ? out[1] : errors[1], &child->pid);
    if (rc) {
        errno = rc;
        error_errno(err, "run %s", p->argv[0]);
        goto out;
    }
    child->pidfd = pidfd_open(child->pid, 0);
    child->out = steal_fd(&out[0]);
    child->err = steal_fd(&errors[0]);
    if (child->pidfd < 0) {
        error_errno(err, "run %s: pidfd_open", p->argv[0]);
        kill(child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
        child_close(child);
        goto out;
    }
    result = 0;
out:
    for (size_t i = 0; i < 2; i++) {
        cleanup_close(&out[i]);
        cleanup_close(&errors[i]);
    }
    return result;
}

static int take_output(const struct process *p, const char *bytes, size_t n, struct error *err)
{
    if (p->reader)
        p->reader(p->reader_ctx, bytes, n);
    if (!p->out)
        return 0;
    size_t max = p->out_max ? p->out_max : OUT_MAX_DEFAULT;
    buffer_add(p->out, bytes, n);
    if (p->out->len > max || p->out->overflow)
        return error_set(err, "%s: more than %zu bytes of output", p->argv[0], max);
    return 0;
}

/* Takes what is there to be read. */
static int drain(const struct process *p, struct child *child, struct error *err)
{
    char chunk[8192];
    ssize_t n;
    while (child->out >= 0 && (n = read(child->out, chunk, sizeof chunk)) != -1) {
        if (n == 0)
            cleanup_close(&child->out);
        else if (take_output(p, chunk, (size_t)n, err) < 0)
            return -1;
    }
    while (child->err >= 0 && (n = read(child->err, chunk, sizeof chunk)) != -1) {
        if (n == 0)
            cleanup_close(&child->err);
        else
            tail_add(&child->tail, chunk, (size_t)n);
    }
    return 0;
}

/* Waits for the end, passing output on. Ends with the program itself, not with the last of those
 * that it may have left behind with our pipe in their hands. */
static int follow(const struct process *p, struct child *child, struct error *err)
{
    double end = now() + p->deadline;
    for (;;) {
        struct pollfd fds[] = {{.fd = child->pidfd, .events = POLLIN},
                               {.fd = child->out, .events = POLLIN},
                               {.fd = child->err, .events = POLLIN}};
        double left = end - now();
        if (p->deadline && left <= 0)
            return error_set(err, "%s: not done after %u seconds", p->argv[0], p->deadline);
        if (poll(fds, 3, p->deadline ? (int)(left * 1000) + 1 : -1) < 0 && errno != EINTR)
            return error_errno(err, "%s: poll", p->argv[0]);
        if (drain(p, child, err) < 0)
            return -1;
        if (fds[0].revents)
            return 0;
    }
}

/* A program that hangs inside the kernel may outlive its killing; then it is left alone. */
static void child_kill(const struct process *p, const struct child *child)
{
    kill(p->deadline ? -child->pid : child->pid, SIGKILL);
    struct pollfd gone = {.fd = child->pidfd, .events = POLLIN};
    if (poll(&gone, 1, KILL_GRACE * 1000) == 1)
        waitpid(child->pid, NULL, 0);
}

static int judge(const struct process *p, const struct child *child, int wait_status, int *status,
                 struct error *err)
{
    char cited[TAIL_CITED + 1];
    tail_cite(&child->tail, cited);
    const char *colon = *cited ? ": " : "";
    if (WIFSIGNALED(wait_status))
        return error_set(err, "%s: killed by signal %d (%s)%s%s", p->argv[0], WTERMSIG(wait_status),
                         strsignal(WTERMSIG(wait_status)), colon, cited);
    if (status)
        *status = WEXITSTATUS(wait_status);
    else if (WEXITSTATUS(wait_status))
        return error_set(err, "%s: exit status %d%s%s", p->argv[0], WEXITSTATUS(wait_status), colon,
                         cited);
    return 0;
}

int process_run(const struct process *process, int *status, struct error *err)
{
    struct child child = {.pid = -1, .pidfd = -1, .out = -1, .err = -1};
    sigset_t before;
    interrupt_wait(&before);
    int started = child_start(process, &child, err);
    if (started == 0)
        interrupt_kills(child.pid);
    interrupt_go_on(&before);
    if (started < 0)
        return -1;
    int result = follow(process, &child, err), wait_status = 0;
    if (result < 0) {
        child_kill(process, &child);
    } else {
        interrupt_kills(0); /* before its id is free for others */
        while (waitpid(child.pid, &wait_status, 0) < 0 && errno == EINTR)
            ;
        result = judge(process, &child, wait_status, status, err);
    }
    interrupt_kills(0);
    child_close(&child);
    return result;
}

bool process_found(const char *program)
{
    const char *path = getenv("PATH");
    for (const char *p = path ? path : ""; *p;) {
        size_t len = strcspn(p, ":");
        char *file AUTO_FREE = heap_printf("%.*s/%s", (int)len, p, program);
        if (access(file, X_OK) == 0)
            return true;
        p += len + (p[len] == ':');
    }
    return false;
}
