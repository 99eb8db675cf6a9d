#include "firstboot/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/buffer.h"
#include "common/cleanup.h"

/* Waits until the socket is ready or has failed; -1 with errno, ETIMEDOUT among them. */
static int wait_for(int fd, short events, struct deadline deadline)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int left = deadline_left_ms(deadline);
        int n = left ? poll(&p, 1, left) : 0;
        if (n > 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ETIMEDOUT;
        return -1;
    }
}

static int connect_to(int fd, const struct http_request *request, struct deadline deadline)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(request->port),
                             .sin_addr.s_addr = htonl(request->address)};
    int status = 0;
    socklen_t size = sizeof status;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return 0;
    if (errno != EINPROGRESS || wait_for(fd, POLLOUT, deadline) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &status, &size) < 0)
        return -1;
    errno = status;
    return status ? -1 : 0;
}

static int send_all(int fd, const char *bytes, size_t len, struct deadline deadline)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && (errno == EINTR || errno == EAGAIN) && wait_for(fd, POLLOUT, deadline) == 0)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The last question, which may hold a token, and its answer, which may be a secret. */
static char request_bytes[HTTP_REQUEST_MAX];
static char response_bytes[HTTP_RESPONSE_MAX];
static size_t response_most; /* bytes that any answer has filled */

void http_wipe(void)
{
    explicit_bzero(request_bytes, sizeof request_bytes);
    explicit_bzero(response_bytes, response_most);
    response_most = 0;
}

/* Every byte is waited for under the one deadline, so a server that drips gains no time. */
static int receive(int fd, const struct http_request *request, struct deadline deadline,
                   struct http_response *out, bool *again, struct error *err)
{
    char *const bytes = response_bytes;
    size_t len = 0;
    for (;;) {
        if (wait_for(fd, POLLIN, deadline) < 0)
            return error_errno(err, "receive after %zu bytes", len);
        ssize_t n = recv(fd, bytes + len, sizeof response_bytes - len, 0);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return error_errno(err, "receive after %zu bytes", len);
        if (n == 0 && len == 0)
            return error_set(err, "the connection was closed without an answer");
        len += (size_t)n;
        response_most = len > response_most ? len : response_most;
        int end = http_response_parse(bytes, len, n == 0, request->wanted, out, err);
        if (end > 0)
            return 0;
        *again = n == 0;
        if (end < 0)
            return -1;
        if (len == sizeof response_bytes)
            return error_set(err, "an answer that does not fit in %d bytes", HTTP_RESPONSE_MAX);
        *again = true;
    }
}

static bool path_fits(const char *path)
{
    for (const char *p = path; *p; p++)
        if (*p <= ' ' || *p > '~')
            return false;
    return *path == '/';
}

int http_ask(const struct http_request *request, struct deadline deadline,
             struct http_response *out, bool *again, struct error *err)
{
    struct buffer b = BUFFER_FIXED(request_bytes);
    struct in_addr host = {.s_addr = htonl(request->address)};
    char address[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &host, address, sizeof address);
    buffer_printf(&b, "%s %s HTTP/1.1\r\nHost: %s:%u\r\nConnection: close\r\n%s",
                  request->method ? request->method : "GET", request->path, address, request->port,
                  request->method ? "Content-Length: 0\r\n" : "");
    /* (printf would leave the token on the stack) */
    buffer_puts(&b, request->header ? request->header : "");
    buffer_puts(&b, request->header ? "\r\n\r\n" : "\r\n");
    *again = false;
    if (b.overflow || !path_fits(request->path))
        return error_set(err, "not a path for HTTP, or too long");
    int fd AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(err, "open a socket");
    *again = true;
    if (connect_to(fd, request, deadline) < 0)
        return error_errno(err, "connect to %s:%u", address, request->port);
    if (send_all(fd, b.data, b.len, deadline) < 0)
        return error_errno(err, "send to %s:%u", address, request->port);
    return receive(fd, request, deadline, out, again, err);
}
