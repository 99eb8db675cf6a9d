#include "builder/lab/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/lab/port-owner.h"
#include "common/cleanup.h"

enum { CHUNK = 16384 };

/* One direction: what was read and is not written yet. */
struct flow {
    char bytes[CHUNK];
    size_t begin, end;
    bool over; /* nothing more will be read */
    bool shut; /* and the other side was told */
};

/* fd[0] is the host's side, flow[0] what comes from there. */
struct pair {
    int fd[2]; /* -1: free */
    bool connecting;
    struct flow flow[2];
};

struct relay {
    struct sockaddr_in to;
    struct pair *pairs[RELAY_CONNECTIONS_MAX];
};

static int refuse_taken(uint16_t port, struct error *err)
{
    char owner[128];
    port_owner(port, owner, sizeof owner);
    return error_set(err,
                     "port %u of 127.0.0.1 is taken by %s; give another one with --port, or leave "
                     "it out and any free one is used",
                     port, owner);
}

int relay_listen(uint16_t *port, int *fd, struct error *err)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int on = 1;
    int s AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        return error_errno(err, "socket");
    if (bind(s, (struct sockaddr *)&at, sizeof at) < 0 || listen(s, 64) < 0) {
        if (errno == EADDRINUSE)
            return refuse_taken(*port, err);
        return error_errno(err, "listen on 127.0.0.1:%u", *port);
    }
    if (getsockname(s, (struct sockaddr *)&at, &size) < 0)
        return error_errno(err, "getsockname");
    *port = ntohs(at.sin_port);
    *fd = steal_fd(&s);
    return 0;
}

static void drop(struct pair **pair)
{
    close((*pair)->fd[0]);
    close((*pair)->fd[1]);
    free(*pair);
    *pair = NULL;
}

static struct pair **free_place(struct relay *relay)
{
    for (size_t i = 0; i < RELAY_CONNECTIONS_MAX; i++)
        if (!relay->pairs[i])
            return &relay->pairs[i];
    return NULL;
}

static void take_connection(struct relay *relay, int listener)
{
    struct pair **place = free_place(relay);
    int in AUTO_CLOSE = place ? accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
    int out AUTO_CLOSE =
        in < 0 ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (out < 0)
        return;
    if (connect(out, (struct sockaddr *)&relay->to, sizeof relay->to) < 0 && errno != EINPROGRESS)
        return;
    struct pair *pair = heap_array(1, sizeof *pair);
    pair->fd[0] = steal_fd(&in);
    pair->fd[1] = steal_fd(&out);
    pair->connecting = true;
    *place = pair;
}

/* False when the connection is broken. */
static bool fill(struct flow *flow, int from)
{
    if (flow->begin != flow->end || flow->over)
        return true;
    ssize_t n = read(from, flow->bytes, CHUNK);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    flow->begin = 0;
    flow->end = (size_t)n;
    flow->over = n == 0;
    return true;
}

static bool empty(struct flow *flow, int to)
{
    while (flow->begin < flow->end) {
        ssize_t n = send(to, flow->bytes + flow->begin, flow->end - flow->begin, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        flow->begin += (size_t)n;
    }
    if (flow->over && !flow->shut) {
        shutdown(to, SHUT_WR);
        flow->shut = true;
    }
    return true;
}

static short wanted(const struct pair *pair, int side)
{
    if (pair->connecting)
        return side == 1 ? POLLOUT : 0;
    const struct flow *from = &pair->flow[side], *to = &pair->flow[!side];
    int events = (from->begin == from->end && !from->over ? POLLIN : 0) |
                 (to->begin < to->end ? POLLOUT : 0);
    return (short)events;
}

/* Moves what can be moved; false when the connection is over. */
static bool serve(struct pair *pair, const struct pollfd *seen)
{
    if (!seen[0].revents && !seen[1].revents)
        return true;
    if (pair->connecting) {
        if (!seen[1].revents)
            return !(seen[0].revents & (POLLERR | POLLHUP));
        int error = 0;
        socklen_t size = sizeof error;
        if (getsockopt(pair->fd[1], SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error)
            return false;
        pair->connecting = false;
        return true;
    }
    for (int side = 0; side < 2; side++)
        if (!fill(&pair->flow[side], pair->fd[side]) || !empty(&pair->flow[side], pair->fd[!side]))
            return false;
    return !(pair->flow[0].shut && pair->flow[1].shut);
}

static void turn(struct relay *relay, int listener)
{
    struct pollfd fds[1 + 2 * RELAY_CONNECTIONS_MAX];
    fds[0] = (struct pollfd){.fd = free_place(relay) ? listener : -1, .events = POLLIN};
    for (size_t i = 0; i < RELAY_CONNECTIONS_MAX; i++)
        for (int side = 0; side < 2; side++) {
            struct pair *pair = relay->pairs[i];
            short events = pair ? wanted(pair, side) : 0;
            /* A side of which nothing is wanted would wake us for its hangup alone. */
            fds[1 + 2 * i + (size_t)side] =
                (struct pollfd){.fd = pair && events ? pair->fd[side] : -1, .events = events};
        }
    if (poll(fds, 1 + 2 * RELAY_CONNECTIONS_MAX, -1) < 0)
        return;
    for (size_t i = 0; i < RELAY_CONNECTIONS_MAX; i++)
        if (relay->pairs[i] && !serve(relay->pairs[i], &fds[1 + 2 * i]))
            drop(&relay->pairs[i]);
    if (fds[0].revents)
        take_connection(relay, listener);
}

void relay_run(int listener, const char *address, uint16_t port)
{
    struct relay *relay = heap_array(1, sizeof *relay);
    relay->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &relay->to.sin_addr);
    for (;;)
        turn(relay, listener);
}
