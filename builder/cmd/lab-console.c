#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "builder/cmd/lab-common.h"
#include "builder/heap.h"
#include "builder/lab/link.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { LEAVE = 0x1d /* Ctrl-] */, SHOWN_BEFORE = 2048 };
static const double WAIT_SECONDS = 10;

static struct termios before;

static int make_raw(struct error *err)
{
    struct termios raw;
    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return error_errno(err, "the terminal");
    raw = before;
    cfmakeraw(&raw);
    return tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0 ? error_errno(err, "the terminal") : 0;
}

/* What the machine said last: a login prompt does not say itself again. */
static void show_before(const struct lab_client *lab, const char *node)
{
    char text[SHOWN_BEFORE];
    struct stat s;
    char *log AUTO_FREE = lab_file(node, "console.log");
    int fd AUTO_CLOSE = openat(lab->dir, log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &s) < 0)
        return;
    off_t from = s.st_size > SHOWN_BEFORE ? s.st_size - SHOWN_BEFORE : 0;
    ssize_t n = pread(fd, text, sizeof text, from);
    if (n > 0)
        (void)!file_write_all(STDOUT_FILENO, text, (size_t)n);
}

/* 1: go on; 0: the user leaves. */
static int take_keys(int machine, struct error *err)
{
    char keys[256];
    ssize_t n = read(STDIN_FILENO, keys, sizeof keys);
    if (n <= 0)
        return n < 0 && errno != EINTR ? error_errno(err, "read the terminal") : n != 0;
    const char *leave = memchr(keys, LEAVE, (size_t)n);
    size_t send = leave ? (size_t)(leave - keys) : (size_t)n;
    if (link_write(machine, link_now() + WAIT_SECONDS, keys, send, err) < 0)
        return -1;
    return !leave;
}

/* 1: go on; 0: the machine is gone. */
static int take_output(int machine, struct error *err)
{
    char text[8192];
    ssize_t n = read(machine, text, sizeof text);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 1 : error_errno(err, "the machine's console");
    if (n > 0 && file_write_all(STDOUT_FILENO, text, (size_t)n) < 0)
        return error_errno(err, "write");
    return n > 0;
}

static int talk(int machine, bool keys, struct error *err)
{
    int go_on = 1;
    while (go_on > 0) {
        struct pollfd fds[] = {{.fd = machine, .events = POLLIN},
                               {.fd = keys ? STDIN_FILENO : -1, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return error_errno(err, "poll");
        if (fds[0].revents)
            go_on = take_output(machine, err);
        if (go_on > 0 && fds[1].revents)
            go_on = take_keys(machine, err);
    }
    return go_on;
}

static int run(const struct args *args, struct error *err)
{
    struct lab_client lab AUTO_LAB = {.dir = -1};
    const char *node = args->operands[0];
    bool keys = isatty(STDIN_FILENO) == 1;
    int machine AUTO_CLOSE = -1;
    if (lab_find(args, &lab, err) < 0 || lab_running(&lab, node, err) < 0)
        return -1;
    char *socket AUTO_FREE = lab_file(node, "console");
    if (link_connect(lab.dir, socket, link_now() + WAIT_SECONDS, &machine, err) < 0)
        return error_context(err, "%s", node);
    if (keys)
        fprintf(stderr, "console of %s; Ctrl-] leaves it\n", node);
    show_before(&lab, node);
    if (keys && make_raw(err) < 0)
        return -1;
    int result = talk(machine, keys, err);
    if (keys) {
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
        fprintf(stderr, "\n");
    }
    return result;
}

const struct command cmd_lab_console = {
    .name = "lab console",
    .operands = "NODE",
    .summary = "Connects the terminal to the serial console of a machine of the lab",
    .details =
        "Ctrl-] leaves it. Where standard input is no terminal, the console is only shown, until\n"
        "the machine ends. One at a time: a second one waits for the first to leave.\n",
    .options = {OPTION_CLUSTER, OPTION_STATE},
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
