/* From a client to process 1 of the lab's namespaces, and what it does there all day. */
#include "builder/lab/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/control.h"
#include "builder/lab/folder.h"
#include "builder/lab/link.h"
#include "builder/lab/machine.h"
#include "builder/lab/namespace.h"
#include "builder/lab/probe.h"
#include "builder/lab/services.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { TICK_MS = 200 };
static const double END_SECONDS = 90;

void supervisor_end(struct lab *lab, bool now)
{
    struct error ignored = ERROR_INIT;
    lab->ending = true;
    for (size_t i = 0; i < lab->cluster->node_count; i++) {
        struct machine *m = &lab->machines[i];
        if (m->pid && (now || machine_stop(m, END_SECONDS, &ignored) < 0))
            machine_kill(m);
    }
}

static struct machine *machine_of(struct lab *lab, pid_t pid)
{
    for (size_t i = 0; i < lab->cluster->node_count; i++)
        if (lab->machines[i].pid == pid)
            return &lab->machines[i];
    return NULL;
}

/* As process 1 we also inherit what others leave behind. */
static void reap(struct lab *lab)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        struct machine *m = machine_of(lab, pid);
        if (m) {
            machine_ended(m, status);
            fprintf(stderr, "%s: QEMU ended, wait status %d %s\n", m->node->name, status,
                    m->end_why);
        } else
            services_ended(lab, pid, status);
    }
}

static void take_signals(struct lab *lab)
{
    struct signalfd_siginfo info;
    while (read(lab->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            lab->over = true;
    reap(lab);
}

/* Without its folder nobody can ask for anything any more, nor end the lab. */
static bool folder_gone(const struct lab *lab)
{
    struct stat s;
    return fstat(lab->lock, &s) == 0 && s.st_nlink == 0;
}

static void watch(struct lab *lab)
{
    bool any = false;
    for (size_t i = 0; i < lab->cluster->node_count; i++) {
        struct machine *m = &lab->machines[i];
        machine_listen(m);
        if (m->pid && m->stop_asked && !m->kill_asked && link_now() > m->stop_until)
            machine_kill(m);
        machine_judge(m, time(NULL));
        any = any || m->pid;
    }
    lab->over = lab->over || (lab->ending && !any) || folder_gone(lab);
}

static void serve(struct lab *lab)
{
    while (!lab->over) {
        struct pollfd fds[] = {{.fd = lab->signals, .events = POLLIN},
                               {.fd = lab->control, .events = POLLIN},
                               {.fd = lab->probe_fd, .events = POLLIN}};
        if (poll(fds, ARRAY_LEN(fds), TICK_MS) < 0 && errno != EINTR)
            break;
        take_signals(lab);
        if (fds[2].revents)
            probe_take(lab);
        services_watch(lab);
        watch(lab);
        if (fds[1].revents)
            control_serve(lab->control, supervisor_handle, lab);
    }
}

static void find_machines(struct lab *lab)
{
    size_t n = lab->cluster->node_count;
    lab->machines = heap_array(n ? n : 1, sizeof *lab->machines);
    for (size_t i = 0; i < n; i++) {
        struct machine *m = &lab->machines[i];
        char *image AUTO_FREE = heap_printf(LAB_NODES "/%s/image", lab->cluster->nodes[i].name);
        m->node = &lab->cluster->nodes[i];
        m->aws = strcmp(lab->cluster->sources[0], "aws") == 0;
        m->console_fd = -1;
        m->ended = MACHINE_STOPPED;
        m->created = access(image, F_OK) == 0;
        if (m->created)
            snprintf(m->end_why, sizeof m->end_why, "of an earlier lab");
        machine_judge(m, time(NULL));
    }
}

static int hold_signals(int *fd, struct error *err)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    *fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return *fd < 0 ? error_errno(err, "signalfd") : 0;
}

static int begin(struct lab *lab, struct error *err)
{
    if (mkdir(LAB_NODES, 0700) < 0 && errno != EEXIST)
        return error_errno(err, "create " LAB_NODES);
    find_machines(lab);
    if (hold_signals(&lab->signals, err) < 0 || services_start(lab, err) < 0)
        return -1;
    return link_listen(AT_FDCWD, LAB_CONTROL, &lab->control, err);
}

/* Process 1: when it ends, so does all it started. It sees that done, for its folder is removed
 * then. */
static void __attribute__((noreturn)) live(struct lab *lab, int ready)
{
    struct error err = ERROR_INIT;
    bool begun = begin(lab, &err) == 0;
    (void)!file_write_all(ready, begun ? "+" : err.text, begun ? 1 : strlen(err.text));
    close(ready);
    if (begun)
        serve(lab);
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    lab_folder_sweep(lab->dir);
    _exit(begun ? 0 : 1);
}

static int go_to_background(struct lab *lab, struct error *err)
{
    int null AUTO_CLOSE = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log AUTO_CLOSE =
        openat(lab->dir, LAB_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (null < 0 || log < 0)
        return error_errno(err, "open " LAB_LOG);
    if (setsid() < 0 || fchdir(lab->dir) < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        return error_errno(err, "go to the background");
    umask(0077);
    return 0;
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* What the client had from who called it, a pipe or a lock, would stay open as long as the lab. */
static void close_inherited(const struct lab *lab, int ready)
{
    int keep[] = {STDERR_FILENO, lab->dir, lab->lock, lab->listener, ready, INT_MAX};
    qsort(keep, ARRAY_LEN(keep), sizeof *keep, compare);
    for (size_t i = 1; i < ARRAY_LEN(keep); i++)
        if (keep[i - 1] >= STDERR_FILENO && keep[i] > keep[i - 1] + 1)
            close_range((unsigned)keep[i - 1] + 1, (unsigned)keep[i] - 1, 0);
}

/* The process between client and supervisor, which knows the supervisor's id outside. */
static void __attribute__((noreturn)) launch(struct lab *lab, int ready)
{
    struct error err = ERROR_INIT;
    pid_t pid = -1;
    if (go_to_background(lab, &err) == 0 && namespace_enter(&err) == 0) {
        close_inherited(lab, ready);
        pid = fork();
        if (pid == 0)
            live(lab, ready);
        if (pid < 0)
            error_errno(&err, "fork");
        else if (lab_folder_note(lab->dir, pid, &err) == 0)
            _exit(0);
    }
    (void)!file_write_all(ready, err.text, strlen(err.text));
    _exit(1);
}

int supervisor_start(struct lab *lab, struct error *err)
{
    int ends[2];
    struct buffer answer AUTO_BUFFER = buffer_heap();
    char chunk[ERROR_TEXT_MAX];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, "pipe");
    int from AUTO_CLOSE = ends[0], to AUTO_CLOSE = ends[1];
    pid_t pid = fork();
    if (pid < 0)
        return error_errno(err, "fork");
    if (pid == 0) {
        close(from);
        launch(lab, to);
    }
    cleanup_close(&to);
    to = -1;
    for (ssize_t n; (n = read(from, chunk, sizeof chunk)) != 0;)
        if (n > 0)
            buffer_add(&answer, chunk, (size_t)n);
        else if (errno != EINTR)
            break;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (answer.len && strcmp(answer.data, "+") == 0)
        return 0;
    return error_set(err, "%s",
                     answer.len ? answer.data
                                : "the lab's supervisor ended at once; see its " LAB_LOG);
}
