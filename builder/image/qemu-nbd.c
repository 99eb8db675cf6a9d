#include "builder/image/qemu-nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <libnbd.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/qemu-nbd-child.h"
#include "common/cleanup.h"

enum {
    READ_MAX = 1 << 20,    /* bytes of a read; qemu-nbd takes 32 MiB */
    WRITE_MAX = 64 * 1024, /* a cluster of qcow2: larger requests QEMU splits and runs at once */
    END_SECONDS = 60,      /* until a server that was asked to end must be gone */
    DEAD_SECONDS = 5,      /* the same, when its connection is lost already */
    CITED_MAX = 400        /* bytes of the server's standard error that an error cites */
};

struct qemu_nbd {
    struct nbd_handle *nbd;
    struct nbd_child child;
    char *path;
};

/* The end of what the server said, as one line of printable text; "" for nothing. */
static void cite(const struct qemu_nbd *server, char text[CITED_MAX + 1])
{
    off_t end = lseek(server->child.errors, 0, SEEK_END);
    off_t from = end > CITED_MAX ? end - CITED_MAX : 0;
    ssize_t n = pread(server->child.errors, text, CITED_MAX, from);
    n = n < 0 ? 0 : n;
    while (n && strchr(" \n", text[n - 1]))
        n--;
    text[n] = '\0';
    for (char *c = text; *c; c++) {
        if (*c == '\n')
            *c = '|';
        else if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    }
}

/* Waits for the server's end; false when it is still there after so many seconds. */
static bool wait_child(struct qemu_nbd *server, int seconds, int *status)
{
    struct pollfd gone = {.fd = server->child.pidfd, .events = POLLIN};
    int ready;
    while ((ready = poll(&gone, 1, seconds * 1000)) < 0 && errno == EINTR)
        ;
    if (ready != 1 || waitpid(server->child.pid, status, 0) != server->child.pid)
        return false;
    server->child.pid = 0;
    return true;
}

/* A server that is already gone, or is going, has said why on its standard error. */
static int request_failed(struct qemu_nbd *server, const char *action, struct error *err)
{
    char said[CITED_MAX + 1];
    int number = nbd_get_errno(), status;
    error_set(err, "%s %s: %s", action, server->path, number ? strerror(number) : nbd_get_error());
    if (nbd_aio_is_dead(server->nbd) <= 0 && nbd_aio_is_closed(server->nbd) <= 0)
        return -1;
    if (server->child.pid && !wait_child(server, DEAD_SECONDS, &status))
        return -1;
    cite(server, said);
    return error_set(err, "%s %s: qemu-nbd ended%s%s", action, server->path, *said ? ": " : "",
                     said);
}

static void server_free(struct qemu_nbd *server)
{
    nbd_close(server->nbd);
    if (server->child.pid) {
        kill(server->child.pid, SIGKILL);
        while (waitpid(server->child.pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    cleanup_close(&server->child.pidfd);
    cleanup_close(&server->child.errors);
    free(server->path);
    free(server);
}

static int connect_to(struct qemu_nbd *server, int *socket, struct error *err)
{
    server->nbd = nbd_create();
    if (!server->nbd)
        return error_set(err, "%s: %s", server->path, nbd_get_error());
    /* The socket is libnbd's from now on, also on failure. */
    if (nbd_connect_socket(server->nbd, steal_fd(socket)) < 0 || nbd_get_size(server->nbd) < 0)
        return request_failed(server, "open", err);
    return 0;
}

int qemu_nbd_start(const char *path, const char *const *arguments, struct qemu_nbd **out,
                   struct error *err)
{
    int socket AUTO_CLOSE = -1;
    struct qemu_nbd *server = heap_array(1, sizeof *server);
    *server = (struct qemu_nbd){.path = heap_copy(path), .child = {.pidfd = -1, .errors = -1}};
    if (nbd_child_start(arguments, &server->child, &socket, err) < 0 ||
        connect_to(server, &socket, err) < 0) {
        server_free(server);
        return -1;
    }
    *out = server;
    return 0;
}

uint64_t qemu_nbd_size(const struct qemu_nbd *server)
{
    return (uint64_t)nbd_get_size(server->nbd);
}

int qemu_nbd_read(struct qemu_nbd *server, uint64_t at, void *bytes, size_t n, struct error *err)
{
    for (size_t done = 0, part; done < n; done += part) {
        part = n - done < READ_MAX ? n - done : READ_MAX;
        if (nbd_pread(server->nbd, (char *)bytes + done, part, at + done, 0) < 0)
            return request_failed(server, "read", err);
    }
    return 0;
}

int qemu_nbd_write(struct qemu_nbd *server, uint64_t at, const void *bytes, size_t n,
                   struct error *err)
{
    for (size_t done = 0, part; done < n; done += part) {
        size_t room = WRITE_MAX - (size_t)((at + done) % WRITE_MAX);
        part = n - done < room ? n - done : room;
        if (nbd_pwrite(server->nbd, (const char *)bytes + done, part, at + done, 0) < 0)
            return request_failed(server, "write", err);
    }
    return 0;
}

/* Its end tells, too, whether the image was closed as it should be. */
static int finish(struct qemu_nbd *server, struct error *err)
{
    char said[CITED_MAX + 1];
    int status = 0;
    if ((nbd_can_flush(server->nbd) > 0 && nbd_flush(server->nbd, 0) < 0) ||
        nbd_shutdown(server->nbd, 0) < 0)
        return request_failed(server, "write", err);
    if (!wait_child(server, END_SECONDS, &status))
        return error_set(err, "close %s: qemu-nbd has not ended after %d seconds", server->path,
                         END_SECONDS);
    cite(server, said);
    if (WIFSIGNALED(status))
        return error_set(err, "close %s: qemu-nbd was killed by signal %d (%s)", server->path,
                         WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status))
        return error_set(err, "close %s: qemu-nbd: exit status %d%s%s", server->path,
                         WEXITSTATUS(status), *said ? ": " : "", said);
    return 0;
}

int qemu_nbd_stop(struct qemu_nbd *server, bool complete, struct error *err)
{
    int result = complete ? finish(server, err) : 0;
    server_free(server);
    return result;
}
