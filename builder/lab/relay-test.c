#include "builder/lab/relay.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/lab/port-owner.h"
#include "common/file.h"

enum { BYTES = 300000 };

static pid_t relay;
static int target = -1;
static uint16_t port, target_port;

static int start(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    int listener = -1;
    if (relay_listen(&target_port, &target, &err) < 0 || relay_listen(&port, &listener, &err) < 0)
        return -1;
    relay = fork();
    if (relay == 0) {
        signal(SIGPIPE, SIG_IGN);
        relay_run(listener, "127.0.0.1", target_port);
        _exit(1);
    }
    close(listener);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    kill(relay, SIGKILL);
    waitpid(relay, NULL, 0);
    close(target);
    return 0;
}

static int connect_to(uint16_t to)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(to), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* The target's end of a connection through the relay. */
static int accepted(void)
{
    for (;;) {
        int fd = accept4(target, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            return fd;
        usleep(1000);
    }
}

static size_t read_to_end(int fd, char *bytes, size_t n)
{
    size_t got = 0;
    for (ssize_t k; got < n && (k = read(fd, bytes + got, n - got)) > 0;)
        got += (size_t)k;
    return got;
}

/* More than fits anywhere, in one direction; then a half-closed connection the other way. */
static void test_both_ways(void **state)
{
    (void)state;
    char *sent = malloc(BYTES), *got = malloc(BYTES);
    for (size_t i = 0; i < BYTES; i++)
        sent[i] = (char)(i * 31 >> 3);
    int here = connect_to(port), there = accepted();
    pid_t writer = fork();
    if (writer == 0) {
        int bad = file_write_all(here, sent, BYTES) < 0;
        shutdown(here, SHUT_WR);
        _exit(bad);
    }
    assert_int_equal(read_to_end(there, got, BYTES), BYTES);
    assert_memory_equal(sent, got, BYTES);
    assert_int_equal(read(there, got, 1), 0);
    waitpid(writer, NULL, 0);
    assert_int_equal(file_write_all(there, "bye", 3), 0);
    close(there);
    assert_int_equal(read_to_end(here, got, 10), 3);
    assert_memory_equal(got, "bye", 3);
    close(here);
    free(sent);
    free(got);
}

/* One that is broken off does not hurt the next. */
static void test_many(void **state)
{
    (void)state;
    char byte = 0;
    for (int i = 0; i < 2 * RELAY_CONNECTIONS_MAX; i++) {
        int here = connect_to(port), there = accepted();
        if (i % 2) {
            assert_int_equal(file_write_all(there, "x", 1), 0);
            assert_int_equal(read(here, &byte, 1), 1);
        }
        close(here);
        close(there);
    }
}

static void test_table(void **state)
{
    (void)state;
    static const char table[] =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
        "   0: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        "
        "0 "
        "11 1 0\n"
        "   1: 0200A8C0:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        "
        "0 "
        "12 1 0\n"
        "   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        "
        "0 "
        "13 1 0\n";
    assert_int_equal(port_inode(table, 8080), 13);
    assert_int_equal(port_inode(table, 8081), 0);
    assert_int_equal(port_inode("", 8080), 0);
}

static void test_port_taken(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    int fd = -1;
    uint16_t taken = port;
    assert_int_equal(relay_listen(&taken, &fd, &err), -1);
    assert_non_null(strstr(err.text, "is taken by relay-test, process "));
    assert_non_null(strstr(err.text, "--port"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_port_taken),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
