#include "builder/lab/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

enum { BACKLOG = 64 };

double link_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int set_path(int dirfd, const char *name, struct sockaddr_un *at, struct error *err)
{
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = dirfd == AT_FDCWD
                ? snprintf(at->sun_path, sizeof at->sun_path, "%s", name)
                : snprintf(at->sun_path, sizeof at->sun_path, "/proc/self/fd/%d/%s", dirfd, name);
    return n < (int)sizeof at->sun_path ? 0 : error_set(err, "%s: the name is too long", name);
}

/* QEMU's sockets take one client and let one or two queue. */
int link_connect(int dirfd, const char *name, double until, int *fd, struct error *err)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    struct sockaddr_un at;
    if (set_path(dirfd, name, &at, err) < 0)
        return -1;
    int s AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0)
        return error_errno(err, "socket");
    while (connect(s, (struct sockaddr *)&at, sizeof at) < 0) {
        if (errno == EAGAIN && link_now() > until)
            return error_set(err, "connect to %s: too many others do", name);
        if (errno != EAGAIN && errno != EINTR)
            return error_errno(err, "connect to %s", name);
        nanosleep(&pause, NULL);
    }
    *fd = steal_fd(&s);
    return 0;
}

int link_listen(int dirfd, const char *name, int *fd, struct error *err)
{
    struct sockaddr_un at;
    if (set_path(dirfd, name, &at, err) < 0)
        return -1;
    if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
        return error_errno(err, "remove %s", name);
    int s AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0077);
    int bound = s < 0 ? -1 : bind(s, (struct sockaddr *)&at, sizeof at);
    umask(before);
    if (bound < 0 || listen(s, BACKLOG) < 0)
        return error_errno(err, "make the socket %s", name);
    *fd = steal_fd(&s);
    return 0;
}

/* 0 when the descriptor is ready, or its other end gone. */
static int wait_for(int fd, short events, double until, struct error *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        double left = until - link_now();
        int n = poll(&p, 1, left > 0 ? (int)(left * 1000) + 1 : 0);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return error_errno(err, "poll");
        if (left <= 0)
            return error_set(err, "no answer in time");
    }
}

/* Bytes read, 0 at the end. */
static ssize_t read_some(int fd, double until, char *bytes, size_t n, struct error *err)
{
    for (;;) {
        if (wait_for(fd, POLLIN, until, err) < 0)
            return -1;
        ssize_t got = read(fd, bytes, n);
        if (got >= 0)
            return got;
        if (errno != EAGAIN && errno != EINTR)
            return error_errno(err, "read");
    }
}

/* Looks ahead before it takes, so that nothing of the next line is lost. */
int link_read_line(int fd, double until, size_t max, struct buffer *out, struct error *err)
{
    size_t before = out->len;
    for (;;) {
        char chunk[4096];
        if (wait_for(fd, POLLIN, until, err) < 0)
            return -1;
        ssize_t seen = recv(fd, chunk, sizeof chunk, MSG_PEEK);
        if (seen < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (seen < 0)
            return error_errno(err, "read");
        if (seen == 0)
            return out->len > before ? 0 : error_set(err, "the other side hung up");
        const char *end = memchr(chunk, '\n', (size_t)seen);
        size_t take = end ? (size_t)(end - chunk) + 1 : (size_t)seen;
        ssize_t got = recv(fd, chunk, take, 0);
        if (got != (ssize_t)take)
            return error_set(err, "read: cut short");
        buffer_add(out, chunk, end ? take - 1 : take);
        if (out->len - before > max || out->overflow)
            return error_set(err, "a line of more than %zu bytes", max);
        if (end)
            return 0;
    }
}

int link_read_all(int fd, double until, size_t max, struct buffer *out, struct error *err)
{
    size_t before = out->len;
    for (;;) {
        char chunk[4096];
        ssize_t n = read_some(fd, until, chunk, sizeof chunk, err);
        if (n < 0)
            return -1;
        if (n == 0)
            return 0;
        buffer_add(out, chunk, (size_t)n);
        if (out->len - before > max || out->overflow)
            return error_set(err, "more than %zu bytes", max);
    }
}

int link_write(int fd, double until, const char *bytes, size_t n, struct error *err)
{
    while (n) {
        ssize_t done = send(fd, bytes, n, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN && errno != EINTR)
            return error_errno(err, "write");
        if (done > 0) {
            bytes += done;
            n -= (size_t)done;
        } else if (wait_for(fd, POLLOUT, until, err) < 0)
            return -1;
    }
    return 0;
}
