/* qemu-nbd is started by the protocol of systemd's socket activation (sd_listen_fds(3)): it
 * inherits a listening socket as descriptor 3, and LISTEN_PID names its own process. libnbd can do
 * that by itself, but then nobody kills the server when we are killed before it has a client, its
 * errors go to our standard error, and its exit status is lost. */
#include "builder/image/qemu-nbd-child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "builder/heap.h"
#include "common/cleanup.h"

extern char **environ;

enum {
    LISTEN_FD = 3, /* where socket activation wants the first socket */
    FREE_FD = 10,  /* descriptors from here on are in nobody's way */
    PID_DIGITS = 12
};

/* Everything that the child needs between fork and exec, where it must not allocate. */
struct launch {
    const char **argv;
    char **env;
    char pid_variable[sizeof "LISTEN_PID=" + PID_DIGITS];
    int listener, errors, report; /* all from FREE_FD on */
    pid_t parent;
};

/* Binds in a folder that only we may enter, connects, and takes the name away again: nobody else
 * can reach the server. The connection waits until the server accepts it. */
static int meet(const char *folder, int *listener, int *client, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/nbd", folder);
    if (n < 0 || (size_t)n >= sizeof address.sun_path)
        return error_set(err, "%s: this path is too long for a socket; set TMPDIR", folder);
    const struct sockaddr *name = (const struct sockaddr *)&address;
    if (bind(*listener, name, sizeof address) < 0)
        return error_errno(err, "make socket %s", address.sun_path);
    int result = 0;
    if (listen(*listener, 1) < 0 || connect(*client, name, sizeof address) < 0)
        result = error_errno(err, "connect to socket %s", address.sun_path);
    unlink(address.sun_path);
    return result;
}

/* A socket from FREE_FD on. */
static int make_socket(int *out, struct error *err)
{
    int fd AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || (*out = fcntl(fd, F_DUPFD_CLOEXEC, FREE_FD)) < 0)
        return error_errno(err, "make socket");
    return 0;
}

static int make_connection(int *listener, int *client, struct error *err)
{
    const char *base = getenv("TMPDIR");
    char *folder AUTO_FREE = heap_printf("%s/nodebake-XXXXXX", base && *base ? base : "/tmp");
    if (make_socket(listener, err) < 0 || make_socket(client, err) < 0)
        return -1;
    if (!mkdtemp(folder))
        return error_errno(err, "make folder %s", folder);
    int result = meet(folder, listener, client, err);
    rmdir(folder);
    return result;
}

static bool replaced(const char *variable)
{
    static const char *const names[] = {"LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=", "LC_ALL="};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* Our environment and what socket activation wants; the array is the caller's. */
static char **make_environment(char *pid_variable)
{
    static char sockets[] = "LISTEN_FDS=1", language[] = "LC_ALL=C";
    char *const more[] = {sockets, language, pid_variable};
    size_t n = 0, used = 0;
    while (environ[n])
        n++;
    char **env = heap_array(n + ARRAY_LEN(more) + 1, sizeof *env);
    for (size_t i = 0; i < n; i++)
        if (!replaced(environ[i]))
            env[used++] = environ[i];
    memcpy(env + used, more, sizeof more);
    return env;
}

static const char **make_argv(const char *const *arguments)
{
    size_t n = 0;
    while (arguments[n])
        n++;
    const char **argv = heap_array(n + 2, sizeof *argv);
    argv[0] = "qemu-nbd";
    memcpy(argv + 1, arguments, n * sizeof *argv);
    return argv;
}

/* snprintf is not for the time between fork and exec. */
static void write_pid(char *text, pid_t pid)
{
    char digits[PID_DIGITS];
    size_t n = 0;
    for (; pid; pid /= 10)
        digits[n++] = (char)('0' + pid % 10);
    while (n)
        *text++ = digits[--n];
    *text = '\0';
}

/* In the child; only functions that are safe there (signal-safety(7)) and glibc's execvpe, which
 * allocates nothing. */
static _Noreturn void become_server(struct launch *launch)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    write_pid(launch->pid_variable + strlen("LISTEN_PID="), getpid());
    /* Who was killed before prctl has left us to another parent. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == launch->parent && null >= 0 &&
        dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
        dup2(launch->errors, STDERR_FILENO) >= 0 && dup2(launch->listener, LISTEN_FD) >= 0)
        execvpe(launch->argv[0], (char *const *)launch->argv, launch->env);
    ssize_t put = write(launch->report, &errno, sizeof errno);
    _exit(put < 0 ? 126 : 127);
}

/* The pipe closes by itself when the program begins; else it tells the errno. */
static int read_report(int report, struct error *err)
{
    int number;
    ssize_t n;
    while ((n = read(report, &number, sizeof number)) < 0 && errno == EINTR)
        ;
    if (n == 0)
        return 0;
    errno = n == sizeof number ? number : EIO;
    return error_errno(err, "run qemu-nbd");
}

static int spawn(struct launch *launch, struct nbd_child *out, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, "pipe");
    int reader AUTO_CLOSE = ends[0], writer AUTO_CLOSE = ends[1];
    int report AUTO_CLOSE = fcntl(writer, F_DUPFD_CLOEXEC, FREE_FD);
    launch->report = report;
    launch->parent = getpid();
    out->pid = report < 0 ? -1 : fork();
    if (out->pid == 0)
        become_server(launch);
    if (out->pid < 0) {
        out->pid = 0;
        return error_errno(err, "run qemu-nbd");
    }
    cleanup_close(&writer);
    cleanup_close(&report);
    if (read_report(reader, err) < 0)
        return -1;
    out->pidfd = pidfd_open(out->pid, 0);
    return out->pidfd < 0 ? error_errno(err, "run qemu-nbd: pidfd_open") : 0;
}

int nbd_child_start(const char *const *arguments, struct nbd_child *out, int *socket,
                    struct error *err)
{
    int listener AUTO_CLOSE = -1, memory AUTO_CLOSE = memfd_create("qemu-nbd errors", MFD_CLOEXEC);
    if (memory < 0 || (out->errors = fcntl(memory, F_DUPFD_CLOEXEC, FREE_FD)) < 0)
        return error_errno(err, "memfd_create");
    if (make_connection(&listener, socket, err) < 0)
        return -1;
    const char **argv AUTO_FREE = make_argv(arguments);
    struct launch launch = {.argv = argv, .listener = listener, .errors = out->errors};
    memcpy(launch.pid_variable, "LISTEN_PID=", sizeof "LISTEN_PID=");
    char **env AUTO_FREE = make_environment(launch.pid_variable);
    launch.env = env;
    return spawn(&launch, out, err);
}
