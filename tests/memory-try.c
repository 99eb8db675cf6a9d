/* For firstboot-figures.t: runs a command and, before each of its processes ends, looks for a text
 * in all of its memory, and at how much it has used. memory-try TEXT COMMAND... `memory KIB` a
 * process: what is its own at its end, private pages of file and heap alike, shared ones by their
 * share (PSS). */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static bool found;

static void search(pid_t pid, int mem, unsigned long from, unsigned long to, const char *text,
                   const char *what)
{
    size_t n = to - from, len = strlen(text);
    char *bytes = malloc(n);
    if (bytes && pread(mem, bytes, n, (off_t)from) == (ssize_t)n) {
        const char *at = memmem(bytes, n, text, len);
        if (at) {
            found = true;
            printf("process %d holds it at 0x%lx of %s\n", (int)pid,
                   from + (unsigned long)(at - bytes), what);
        }
    }
    free(bytes);
}

static void look(pid_t pid, const char *text)
{
    char path[64], line[512], what[256];
    unsigned long from, to, kib;
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int mem = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    while (maps && fgets(line, sizeof line, maps)) {
        what[0] = '\0';
        /* What the command line says is no secret of the program's. */
        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %255s", &from, &to, what) >= 2 && what[1] != 'v')
            search(pid, mem, from, to, text, what);
    }
    if (maps)
        fclose(maps);
    close(mem);
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *sums = fopen(path, "re");
    while (sums && fgets(line, sizeof line, sums))
        if (sscanf(line, "Pss: %lu kB", &kib) == 1)
            printf("memory %lu\n", kib);
    if (sums)
        fclose(sums);
}

int main(int argc, char **argv)
{
    const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT;
    int status, result = 1;
    pid_t pid, first;
    if (argc < 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if ((first = fork()) == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    if (waitpid(first, &status, 0) != first || ptrace(PTRACE_SETOPTIONS, first, 0, options) < 0)
        return 2;
    ptrace(PTRACE_CONT, first, 0, 0);
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (pid == first && WIFEXITED(status))
            result = WEXITSTATUS(status);
        if (!WIFSTOPPED(status))
            continue;
        int signal = WSTOPSIG(status);
        if (status >> 16 == PTRACE_EVENT_EXIT)
            look(pid, argv[1]);
        ptrace(PTRACE_CONT, pid, 0, signal == SIGTRAP || signal == SIGSTOP ? 0 : signal);
    }
    return found ? 3 : result;
}
