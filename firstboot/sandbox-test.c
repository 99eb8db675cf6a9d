#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "firstboot/sandbox.h"

/* Runs the call in a bound process: the signal that ended it, 0 when it lived. */
static int bound(void (*call)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct error err = ERROR_INIT;
        if (sandbox_enter(&err) < 0)
            _exit(2);
        call();
        syscall(SYS_exit_group, 0); /* before an _exit ASan asks for the signal stack */
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void inet(void)
{
    close(socket(AF_INET, SOCK_STREAM, 0));
}
static void netlink(void)
{
    close(socket(AF_NETLINK, SOCK_RAW, 0));
}
static void packet(void)
{
    close(socket(AF_PACKET, SOCK_DGRAM, 0));
}
static void unix_socket(void)
{
    (void)!socket(AF_UNIX, SOCK_STREAM, 0);
}
static void inet6(void)
{
    (void)!socket(AF_INET6, SOCK_STREAM, 0);
}
/* The kernel looks at the low half of the family only; so does the filter. */
static void wide_family(void)
{
    syscall(SYS_socket, (1L << 32) | AF_UNIX, SOCK_STREAM, 0);
}
static void waits(void)
{
    struct pollfd p = {.fd = -1};
    struct timespec t = {0, 1};
    poll(&p, 1, 1);
    nanosleep(&t, NULL);
    clock_nanosleep(CLOCK_BOOTTIME, 0, &t, NULL);
    syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &t);
}
static void random_bytes(void)
{
    char bytes[4];
    (void)!getrandom(bytes, sizeof bytes, GRND_NONBLOCK);
}
/* Another protocol of netlink: the packet filter's. */
static void netfilter(void)
{
    (void)!socket(AF_NETLINK, SOCK_RAW, 12);
}
/* F_SETSIG and F_SETOWN would send any signal to anybody. */
static void owns(void)
{
    syscall(SYS_fcntl, 0, F_SETOWN, 1);
}
static void opens(void)
{
    (void)!open("/", O_RDONLY);
}
static void opens2(void)
{
    syscall(SYS_openat2, -1, "/", NULL, 0);
}
static void executes(void)
{
    char *const none[] = {NULL};
    execve("/bin/true", none, none);
}
static void forks(void)
{
    (void)!fork();
}
static void kills(void)
{
    kill(0, 0);
}
static void maps(void)
{
    (void)!syscall(SYS_mmap, NULL, 4096, PROT_EXEC, MAP_PRIVATE, -1, 0);
}
static void traces(void)
{
    syscall(SYS_ptrace, 0, 0, 0, 0);
}
static void controls(void)
{
    syscall(SYS_ioctl, 0, 0, 0);
}
static void listens(void)
{
    syscall(SYS_listen, 0, 0);
}
static void loosens(void)
{
    prctl(PR_GET_DUMPABLE);
}
#ifdef __x86_64__
/* The numbers of x32, and of 32 bits (int 0x80: another architecture). */
static void x32(void)
{
    syscall(0x40000000 | SYS_getpid);
}
static void i386(void)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
}
#endif

static void what_the_network_needs_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(bound(inet), 0);
    assert_int_equal(bound(netlink), 0);
    assert_int_equal(bound(packet), 0);
    assert_int_equal(bound(waits), 0);
    assert_int_equal(bound(random_bytes), 0);
}

static void anything_else_kills(void **state)
{
    (void)state;
    static void (*const calls[])(void) = {
        netfilter, owns,  unix_socket, inet6,  wide_family, opens,   opens2,  executes,
        forks,     kills, maps,        traces, controls,    listens, loosens,
#ifdef __x86_64__
        x32,
#endif
    };
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        if (bound(calls[i]) != SIGSYS)
            fail_msg("call %zu", i);
#ifdef __x86_64__
    /* (a kernel without 32-bit programs ends it by itself) */
    int signal = bound(i386);
    assert_true(signal == SIGSYS || signal == SIGSEGV);
#endif
}

static void all_descriptors_but_one_are_closed(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        int low = open("/dev/null", O_RDONLY), keep = open("/dev/null", O_RDONLY);
        int high = fcntl(keep, F_DUPFD, 100);
        sandbox_close_all_but(keep);
        _exit(fcntl(0, F_GETFD) < 0 && fcntl(low, F_GETFD) < 0 && fcntl(high, F_GETFD) < 0 &&
                      fcntl(keep, F_GETFD) == 0
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_network_needs_is_allowed),
        cmocka_unit_test(anything_else_kills),
        cmocka_unit_test(all_descriptors_but_one_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
