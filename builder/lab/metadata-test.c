#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/lab/metadata.h"

static struct node nodes[] = {
    {.name = "worker-0", .role = "worker", .address = "127.0.0.1", .pod_cidr = "10.200.0.0/24"},
    {.name = "worker-1", .role = "worker", .address = "127.0.0.3", .pod_cidr = "10.200.1.0/24"},
};
static struct cluster cluster = {.name = "testbed", .nodes = nodes, .node_count = 2};
static const struct gce gce = {.cluster = &cluster};

/* The service in a process of its own, and its log. */
static struct {
    pid_t pid;
    FILE *log;
    uint16_t port;
} service;

static int start(void **state)
{
    (void)state;
    int ends[2];
    alarm(60); /* rather a failure than a test that waits for ever */
    unsigned port;
    if (pipe(ends) < 0)
        return -1;
    service.pid = fork();
    if (service.pid == 0) {
        struct error err = ERROR_INIT;
        close(ends[0]);
        dup2(ends[1], STDERR_FILENO);
        _exit(metadata_serve(&gce, "127.0.0.1:0", &err) < 0);
    }
    close(ends[1]);
    service.log = fdopen(ends[0], "r");
    char line[256];
    if (!service.log || !fgets(line, sizeof line, service.log) ||
        sscanf(line, "metadata: listening on 127.0.0.1:%u", &port) != 1)
        return -1;
    service.port = (uint16_t)port;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    int status = -1;
    kill(service.pid, SIGTERM);
    waitpid(service.pid, &status, 0);
    fclose(service.log);
    return status;
}

/* Sends the bytes from the address and reads the whole answer. */
static void ask(const char *from, const char *request, char *answer, size_t size)
{
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(from)};
    struct sockaddr_in there = {.sin_family = AF_INET,
                                .sin_port = htons(service.port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    size_t len = 0;
    ssize_t n;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&self, sizeof self), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&there, sizeof there), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    while ((n = recv(fd, answer + len, size - 1 - len, 0)) > 0)
        len += (size_t)n;
    answer[len] = '\0';
    close(fd);
}

#define NAME   "/computeMetadata/v1/instance/name"
#define HOST   " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
#define FLAVOR "Metadata-Flavor: Google\r\n"

static const struct {
    const char *from, *request, *status, *end, *log;
} rows[] = {
    {"127.0.0.1", "GET " NAME HOST FLAVOR "\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\nworker-0",
     "metadata: 127.0.0.1 worker-0 GET " NAME " 200\n"},
    {"127.0.0.3", "GET " NAME HOST FLAVOR "\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\nworker-1",
     "metadata: 127.0.0.3 worker-1 GET " NAME " 200\n"},
    {"127.0.0.3", "GET " NAME "?alt=text" HOST FLAVOR "\r\n", "HTTP/1.1 200 OK\r\n",
     "\r\n\r\nworker-1", "metadata: 127.0.0.3 worker-1 GET " NAME " 200\n"},
    {"127.0.0.1", "HEAD " NAME HOST FLAVOR "\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\n",
     "metadata: 127.0.0.1 worker-0 HEAD " NAME " 200\n"},
    {"127.0.0.1", "GET /computeMetadata/v1/instance/attributes/none" HOST FLAVOR "\r\n",
     "HTTP/1.1 404 Not Found\r\n", "not found\n",
     "metadata: 127.0.0.1 worker-0 GET /computeMetadata/v1/instance/attributes/none 404\n"},
    {"127.0.0.2", "GET " NAME HOST FLAVOR "\r\n", "HTTP/1.1 404 Not Found\r\n",
     "no node of the cluster has your address\n",
     "metadata: 127.0.0.2 (unknown) GET " NAME " 404\n"},
    {"127.0.0.1", "GET " NAME HOST "\r\n", "HTTP/1.1 403 Forbidden\r\n",
     "the request lacks 'Metadata-Flavor: Google'\n",
     "metadata: 127.0.0.1 worker-0 GET " NAME " 403\n"},
    {"127.0.0.1", "GET " NAME HOST "Metadata-Flavor: google\r\n\r\n", "HTTP/1.1 403 Forbidden\r\n",
     "the request lacks 'Metadata-Flavor: Google'\n",
     "metadata: 127.0.0.1 worker-0 GET " NAME " 403\n"},
    {"127.0.0.1", "GET " NAME HOST FLAVOR "X-Forwarded-For: 127.0.0.1\r\n\r\n",
     "HTTP/1.1 403 Forbidden\r\n", "requests with X-Forwarded-For are refused\n",
     "metadata: 127.0.0.1 worker-0 GET " NAME " 403\n"},
    {"127.0.0.1", "GET /computeMetadata/v1/instance/attributes/?recursive=True" HOST FLAVOR "\r\n",
     "HTTP/1.1 200 OK\r\n", "\r\n\r\n{\"pod-cidr\":\"10.200.0.0/24\"}",
     "metadata: 127.0.0.1 worker-0 GET /computeMetadata/v1/instance/attributes/ 200\n"},
    {"127.0.0.1", "GET " NAME "?alt=json" HOST FLAVOR "\r\n", "HTTP/1.1 400 Bad Request\r\n",
     "only alt=text and recursive=true are understood\n",
     "metadata: 127.0.0.1 worker-0 GET " NAME " 400\n"},
    {"127.0.0.1", "POST " NAME HOST FLAVOR "Content-Length: 5\r\n\r\nhello",
     "HTTP/1.1 405 Method Not Allowed\r\n", "only GET and HEAD are served\n",
     "metadata: 127.0.0.1 worker-0 POST " NAME " 405\n"},
    {"127.0.0.1", "GET /%0a%1b[31m" HOST FLAVOR "\r\n", "HTTP/1.1 404 Not Found\r\n", "not found\n",
     "metadata: 127.0.0.1 worker-0 GET /??[31m 404\n"},
};

static void answers_as_gce_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char answer[4096], line[256] = "";
        ask(rows[i].from, rows[i].request, answer, sizeof answer);
        size_t len = strlen(answer), end = strlen(rows[i].end);
        if (strncmp(answer, rows[i].status, strlen(rows[i].status)) != 0 || len < end ||
            strcmp(answer + len - end, rows[i].end) != 0)
            fail_msg("%zu: %s", i, answer);
        assert_non_null(strstr(answer, "\r\nMetadata-Flavor: Google\r\n"));
        assert_non_null(strstr(answer, "\r\nContent-Type: application/text\r\n"));
        assert_non_null(fgets(line, sizeof line, service.log));
        assert_string_equal(line, rows[i].log);
    }
}

static void a_folder_without_its_slash_is_elsewhere(void **state)
{
    (void)state;
    char answer[4096], line[256];
    ask("127.0.0.1", "GET /computeMetadata/v1/instance" HOST FLAVOR "\r\n", answer, sizeof answer);
    assert_memory_equal(answer, "HTTP/1.1 301 ", 13);
    assert_non_null(strstr(answer, "\r\nLocation: /computeMetadata/v1/instance/\r\n"));
    assert_non_null(fgets(line, sizeof line, service.log));
}

static void listens_only_where_it_can(void **state)
{
    static const char *const bad[] = {"",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      ":80",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:8x",
                                      "127.0.0.1:-1",
                                      "localhost:80",
                                      "127.0.0.1.1.1.1.1:80",
                                      "[::1]:80",
                                      "127.0.0.1: 80"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err = ERROR_INIT;
        assert_int_equal(metadata_serve(&gce, bad[i], &err), -1);
        assert_non_null(strstr(err.text, "' is not A.B.C.D:PORT"));
    }
    char taken[64];
    struct error err = ERROR_INIT;
    snprintf(taken, sizeof taken, "127.0.0.1:%u", service.port);
    assert_int_equal(metadata_serve(&gce, taken, &err), -1);
    assert_non_null(strstr(err.text, "listen on 127.0.0.1:"));
    assert_non_null(strstr(err.text, "Address already in use"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_gce_does),
        cmocka_unit_test(a_folder_without_its_slash_is_elsewhere),
        cmocka_unit_test(listens_only_where_it_can),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
