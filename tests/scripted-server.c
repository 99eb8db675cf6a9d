#include "tests/scripted-server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void read_request(int fd, char *out, size_t size)
{
    size_t len = 0;
    ssize_t n;
    memset(out, 0, size);
    while (!strstr(out, "\r\n\r\n") && (n = recv(fd, out + len, size - 1 - len, 0)) > 0)
        len += (size_t)n;
}

static void send_step(int fd, const struct step *step)
{
    size_t len = step->len ? step->len : strlen(step->send);
    size_t piece = step->drip_ms ? 1 : len;
    for (size_t i = 0; i < len; i += piece) {
        if (send(fd, step->send + i, piece, MSG_NOSIGNAL) < 0)
            return;
        if (step->drip_ms)
            usleep((unsigned)step->drip_ms * 1000);
    }
}

static void serve(struct scripted_server *s, int fd, const struct step *step)
{
    char byte;
    if (step->reset) {
        struct linger now = {.l_onoff = 1};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        return;
    }
    read_request(fd, s->request, sizeof s->request);
    if (step->send)
        send_step(fd, step);
    while (step->hang && recv(fd, &byte, 1, 0) > 0)
        continue;
}

static void *run(void *ctx)
{
    struct scripted_server *s = ctx;
    usleep((unsigned)s->listen_after_ms * 1000);
    if (s->listen_after_ms && listen(s->fd, 8) < 0)
        return NULL;
    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        serve(s, fd, &s->steps[s->served < s->count ? s->served : s->count - 1]);
        s->served++;
        close(fd);
    }
}

void scripted_start_late(struct scripted_server *s, const struct step *steps, size_t count, int ms)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    *s = (struct scripted_server){
        .steps = steps, .count = count, .address = INADDR_LOOPBACK, .listen_after_ms = ms};
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &size), 0);
    s->port = ntohs(at.sin_port);
    if (!ms)
        assert_int_equal(listen(s->fd, 8), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

void scripted_start(struct scripted_server *s, const struct step *steps, size_t count)
{
    scripted_start_late(s, steps, count, 0);
}

void scripted_stop(struct scripted_server *s)
{
    shutdown(s->fd, SHUT_RDWR); /* wakes accept */
    pthread_join(s->thread, NULL);
    close(s->fd);
}
