/* For firstboot-cut.t: kills a run before each of its system calls in turn, those of a second
 * process too, and looks at what is left; then lets one run to its end. cut-try FRESH WHOLE WORK
 * COMMAND... FRESH is the root before the command, WHOLE what an uncut one makes of it; the command
 * works on WORK, which is made anew each time. Says what was wrong, a line each, and the number of
 * cuts. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENTRIES_MAX = 512, CUTS_MAX = 2000, SYSCALL_STOP = SIGTRAP | 0x80 };

/* What is there at a path; the bytes of a file, the target of a link. */
struct entry {
    char *path, *bytes;
    size_t len;
    mode_t mode;
};

struct tree {
    struct entry list[ENTRIES_MAX];
    size_t count;
};

static struct tree fresh, whole, now, *filling;
static const char *top;
static unsigned cut, problems;

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void wrong(const char *path, const char *what)
{
    problems++;
    printf("before call %u: %s: %s\n", cut, path, what);
}

static int read_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)type, (void)at;
    if (filling->count == ENTRIES_MAX)
        die("too many files");
    struct entry *e = &filling->list[filling->count++];
    *e = (struct entry){.path = strdup(path + strlen(top)), .mode = st->st_mode};
    if (S_ISDIR(st->st_mode))
        return 0;
    e->bytes = malloc((size_t)st->st_size + 1);
    if (S_ISLNK(st->st_mode)) {
        e->len = (size_t)readlink(path, e->bytes, (size_t)st->st_size + 1);
        return 0;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, e->bytes, (size_t)st->st_size + 1);
    if (got < 0)
        die(path);
    e->len = (size_t)got;
    close(fd);
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static void tree_read(const char *dir, struct tree *out)
{
    while (out->count) {
        free(out->list[--out->count].path);
        free(out->list[out->count].bytes);
    }
    filling = out;
    top = dir;
    if (nftw(dir, read_entry, 16, FTW_PHYS) != 0)
        die(dir);
    qsort(out->list, out->count, sizeof *out->list, by_path);
}

static const struct entry *find(const struct tree *t, const char *path)
{
    struct entry key = {.path = (char *)(size_t)path};
    return bsearch(&key, t->list, t->count, sizeof key, by_path);
}

/* Both not there counts as the same. */
static bool same(const struct entry *a, const struct entry *b)
{
    if (!a || !b)
        return a == b;
    return a->mode == b->mode && a->len == b->len &&
           (!a->len || memcmp(a->bytes, b->bytes, a->len) == 0);
}

static int take_away(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

/* Writes FRESH anew; parents sort before what is in them. */
static void make_work(const char *dir)
{
    if (nftw(dir, take_away, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        die(dir);
    for (size_t i = 0; i < fresh.count; i++) {
        const struct entry *e = &fresh.list[i];
        char path[4096];
        snprintf(path, sizeof path, "%s%s", dir, e->path);
        int failed;
        if (S_ISDIR(e->mode))
            failed = mkdir(path, e->mode & 07777);
        else if (S_ISLNK(e->mode)) {
            e->bytes[e->len] = '\0';
            failed = symlink(e->bytes, path);
        } else {
            int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, e->mode & 07777);
            failed = fd < 0 || write(fd, e->bytes, e->len) != (ssize_t)e->len || close(fd) < 0;
        }
        if (failed)
            die(path);
    }
}

static bool is_temporary(const char *path)
{
    size_t n = strlen(path);
    return n > 9 && strcmp(path + n - 9, ".nodebake") == 0;
}

static bool is_stamp(const char *path)
{
    return strncmp(path, "/var/lib/nodebake/stamp", 23) == 0;
}

/* What makes units start. */
static bool enables(const char *path)
{
    return (strncmp(path, "/etc/systemd/system/", 20) == 0 && strstr(path, ".wants/")) ||
           strncmp(path, "/etc/systemd/system-preset/", 27) == 0;
}

/* Is every file that a boot would use what it is in that tree? */
static bool files_are(const struct tree *as)
{
    const struct tree *both[] = {&fresh, &whole};
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < both[t]->count; i++) {
            const char *path = both[t]->list[i].path;
            if (!S_ISDIR(both[t]->list[i].mode) && !enables(path) && !is_stamp(path) &&
                !same(find(&now, path), find(as, path)))
                return false;
        }
    return true;
}

/* A temporary file is never more open than what it becomes. */
static void check_temporary(const struct entry *e)
{
    char path[4096];
    const char *slash = strrchr(e->path, '/');
    int n = (int)strlen(slash + 2) - 9;
    snprintf(path, sizeof path, "%.*s/%.*s", (int)(slash - e->path), e->path, n, slash + 2);
    const struct entry *final = find(&whole, path);
    if (S_ISREG(e->mode) && (!final || (e->mode & 077 & ~final->mode)))
        wrong(e->path, "more open than its file");
}

/* What a boot after the cut would find. */
static void check_cut(const char *dir)
{
    tree_read(dir, &now);
    bool old = files_are(&fresh), new = files_are(&whole);
    for (size_t i = 0; i < now.count; i++) {
        const struct entry *e = &now.list[i];
        const struct entry *before = find(&fresh, e->path), *after = find(&whole, e->path);
        if (is_temporary(e->path))
            check_temporary(e);
        else if (strcmp(e->path, "/var/lib/nodebake/stamp-before") == 0)
            continue;
        else if (!S_ISDIR(e->mode) && !same(e, before) && !same(e, after))
            wrong(e->path, "half written");
        else if (enables(e->path) && !S_ISDIR(e->mode) && !(new &&same(e, after)) &&
                 !(old && same(e, before)))
            wrong(e->path, "enabled before its files stand");
        else if (is_stamp(e->path) && !(old && same(e, before)))
            for (size_t j = 0; j < whole.count; j++)
                if (!same(find(&now, whole.list[j].path), &whole.list[j]))
                    wrong(whole.list[j].path, "the stamp stands before it");
    }
}

static void check_whole(const char *dir)
{
    tree_read(dir, &now);
    for (size_t i = 0; i < now.count; i++)
        if (!same(&now.list[i], find(&whole, now.list[i].path)))
            wrong(now.list[i].path, "differs after the next run");
    if (now.count != whole.count)
        wrong("/", "there is more or less of it after the next run");
}

static pid_t start(char **command, bool traced)
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid > 0)
        return pid;
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    if (traced && (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 || raise(SIGSTOP) != 0))
        _exit(127);
    execv(command[0], command);
    _exit(127);
}

/* The kernel says whether it is before the call or behind it. */
static bool is_entry(pid_t pid)
{
    struct __ptrace_syscall_info info;
    return ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0 &&
           info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* Runs it up to its call number `cut` (from the exec's end), and ends all its processes; false when
 * it ended by itself before that. */
static bool run_cut(char **command)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
    pid_t pids[8], pid = start(command, true);
    size_t count = 0;
    unsigned calls = 0;
    int status;
    bool begun = false, killed = false;
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, pid, 0, options) < 0)
        die("trace");
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
    pids[count++] = pid;
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status))
            continue;
        int signal = WSTOPSIG(status), event = status >> 16;
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known = known || pids[i] == pid;
        if (!known && count < 8)
            pids[count++] = pid;
        begun = begun || event == PTRACE_EVENT_EXEC;
        if (signal == SYSCALL_STOP && begun && !killed && is_entry(pid) && ++calls == cut) {
            killed = true;
            for (size_t i = 0; i < count; i++)
                kill(pids[i], SIGKILL);
        }
        if (killed) /* it may have been born meanwhile */
            kill(pid, SIGKILL);
        bool pass = signal != SYSCALL_STOP && signal != SIGTRAP && signal != SIGSTOP;
        ptrace(PTRACE_SYSCALL, pid, 0, pass ? signal : 0);
    }
    return killed;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    tree_read(argv[1], &fresh);
    tree_read(argv[2], &whole);
    for (cut = 1; cut < CUTS_MAX && problems < 20; cut++) {
        int status;
        make_work(argv[3]);
        bool killed = run_cut(argv + 4);
        if (!killed)
            break;
        check_cut(argv[3]);
        pid_t pid = start(argv + 4, false);
        if (waitpid(pid, &status, 0) != pid || status != 0)
            wrong(argv[4], "the next run fails");
        check_whole(argv[3]);
    }
    check_whole(argv[3]);
    printf("%u cuts\n", cut - 1);
    return problems != 0 || cut == 1;
}
