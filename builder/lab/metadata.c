#include "builder/lab/metadata.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "builder/heap.h"
#include "builder/lab/aws.h"
#include "common/address.h"
#include "common/cleanup.h"

enum { CONNECTIONS_MAX = 256, IDLE_SECONDS = 10 };

/* One request, on its way to its answer. */
struct request {
    const struct gce *gce;
    struct MHD_Connection *connection;
    const char *path, *method;
    char peer[INET_ADDRSTRLEN];
    const struct node *node; /* NULL: nobody of the cluster */
    bool recursive, strange; /* what its arguments ask for */
    bool aws;                /* it is one for AWS's service */
};

static void find_peer(struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr_in *from = info ? (const void *)info->client_addr : NULL;
    if (!from || from->sin_family != AF_INET)
        return;
    inet_ntop(AF_INET, &from->sin_addr, r->peer, sizeof r->peer);
    const struct cluster *c = r->gce->cluster;
    for (size_t i = 0; i < c->node_count; i++)
        if (strcmp(c->nodes[i].address, r->peer) == 0)
            r->node = &c->nodes[i];
}

static enum MHD_Result take_argument(void *ctx, enum MHD_ValueKind kind, const char *key,
                                     const char *value)
{
    struct request *r = ctx;
    (void)kind;
    if (strcmp(key, "recursive") == 0 && value && strcasecmp(value, "true") == 0)
        r->recursive = true;
    else if (strcmp(key, "alt") != 0 || !value || strcmp(value, "text") != 0)
        r->strange = true;
    return MHD_YES;
}

static const char *header(const struct request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

/* Requests without the flavor, or that a proxy passed on, are turned away as by the real server:
 * somebody may have been tricked into sending them. 0: the request is in order. */
static unsigned refuse(const struct request *r, struct buffer *body)
{
    const char *flavor = header(r, "Metadata-Flavor");
    if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0) {
        buffer_puts(body, "only GET and HEAD are served\n");
        return 405;
    }
    if (!flavor || strcmp(flavor, "Google") != 0) {
        buffer_puts(body, "the request lacks 'Metadata-Flavor: Google'\n");
        return 403;
    }
    if (header(r, "X-Forwarded-For")) {
        buffer_puts(body, "requests with X-Forwarded-For are refused\n");
        return 403;
    }
    if (!r->node) {
        buffer_puts(body, "no node of the cluster has your address\n");
        return 404;
    }
    if (r->strange) {
        buffer_puts(body, "of the query arguments only alt=text and recursive=true are "
                          "understood\n");
        return 400;
    }
    return 0;
}

/* The path comes from the peer: shown with care, and cut. */
static void log_request(const struct request *r, unsigned status)
{
    char path[128];
    snprintf(path, sizeof path, "%s", r->path);
    for (char *p = path; *p; p++)
        if (*p <= ' ' || *p > '~')
            *p = '?';
    fprintf(stderr, "metadata: %s %s %.16s %s %u\n", r->peer, r->node ? r->node->name : "(unknown)",
            r->method, path, status);
}

/* Headers of the answer, by whose service it is. */
static bool add_headers(const struct request *r, unsigned status, struct MHD_Response *response)
{
    if (r->aws)
        return MHD_add_response_header(response, "Content-Type", "text/plain") == MHD_YES;
    char *location AUTO_FREE = heap_printf("%s/", r->path);
    return MHD_add_response_header(response, "Metadata-Flavor", "Google") == MHD_YES &&
           MHD_add_response_header(response, "Content-Type", "application/text") == MHD_YES &&
           (status != 301 || MHD_add_response_header(response, "Location", location) == MHD_YES);
}

static enum MHD_Result reply(const struct request *r, unsigned status, const struct buffer *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    enum MHD_Result sent = MHD_NO;
    if (add_headers(r, status, response))
        sent = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);
    return sent;
}

static unsigned answer_as_aws(const struct request *r, struct buffer *body)
{
    const struct aws_request request = {
        .method = r->method,
        .path = r->path,
        .token = header(r, "X-aws-ec2-metadata-token"),
        .ttl = header(r, "X-aws-ec2-metadata-token-ttl-seconds"),
        .forwarded = header(r, "X-Forwarded-For"),
    };
    if (r->node)
        return aws_answer(r->gce, r->node, &request, body);
    buffer_puts(body, "no node of the cluster has your address\n");
    return 404;
}

static unsigned answer_as_gce(const struct request *r, struct buffer *body)
{
    unsigned status = refuse(r, body);
    return status ? status : gce_answer(r->gce, r->node, r->path, r->recursive, body);
}

static enum MHD_Result handle(void *gce, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    (void)version;
    (void)upload;
    if (!*state) { /* the head has come; a body would follow, and is thrown away */
        *state = connection;
        return MHD_YES;
    }
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    struct request r = {
        .gce = gce, .connection = connection, .path = path, .method = method, .peer = "?"};
    char text[GCE_ANSWER_MAX] = "";
    struct buffer body = BUFFER_FIXED(text);
    find_peer(&r);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_argument, &r);
    r.aws = strncmp(path, "/latest/", 8) == 0;
    unsigned status = r.aws ? answer_as_aws(&r, &body) : answer_as_gce(&r, &body);
    log_request(&r, status);
    return reply(&r, status, &body);
}

static bool parse_listen(const char *text, struct sockaddr_in *out)
{
    const char *colon = strrchr(text, ':');
    char address[INET_ADDRSTRLEN], *end;
    uint32_t ip;
    if (!colon || (size_t)(colon - text) >= sizeof address || colon[1] < '0' || colon[1] > '9')
        return false;
    memcpy(address, text, (size_t)(colon - text));
    address[colon - text] = '\0';
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (*end || port > 65535 || !ipv4_parse(address, &ip))
        return false;
    *out = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(ip)};
    return true;
}

static int open_listener(const char *text, int *out, struct error *err)
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    char address[INET_ADDRSTRLEN];
    int on = 1;
    if (!parse_listen(text, &at))
        return error_set(err, "'%.60s' is not A.B.C.D:PORT", text);
    int fd AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, CONNECTIONS_MAX) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) < 0)
        return error_errno(err, "listen on %s", text);
    inet_ntop(AF_INET, &at.sin_addr, address, sizeof address);
    fprintf(stderr, "metadata: listening on %s:%u\n", address, ntohs(at.sin_port));
    *out = steal_fd(&fd);
    return 0;
}

static int serve(const struct gce *gce, const char *where, const sigset_t *ends, struct error *err)
{
    int fd = -1, ignored;
    if (open_listener(where, &fd, err) < 0)
        return -1;
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle,
                         (void *)(uintptr_t)gce, MHD_OPTION_LISTEN_SOCKET, fd,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_END);
    if (!daemon) {
        close(fd);
        return error_set(err, "the HTTP server for %s did not start", where);
    }
    sigwait(ends, &ignored);
    MHD_stop_daemon(daemon); /* closes the socket */
    return 0;
}

int metadata_serve(const struct gce *gce, const char *listen, struct error *err)
{
    sigset_t ends, before;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    /* Blocked before it says that it listens, so that no signal is missed; threads inherit it. */
    pthread_sigmask(SIG_BLOCK, &ends, &before);
    int status = serve(gce, listen, &ends, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}
