#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/lock.h"
#include "common/cleanup.h"

static char folder[] = "/tmp/nodebake-lock-test-XXXXXX";
static int dir = -1;

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    static const char *const left[] = {"lock", "other", "link", "target"};
    (void)state;
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        unlinkat(dir, left[i], 0);
    unlinkat(dir, "folder", AT_REMOVEDIR);
    close(dir);
    return rmdir(folder);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int take(const char *name, unsigned seconds)
{
    struct error err = ERROR_INIT;
    int fd = -1;
    if (lock_take(dir, name, seconds, &fd, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(fd >= 0);
    return fd;
}

static void refuse(const char *name, unsigned seconds, const char *message)
{
    struct error err = ERROR_INIT;
    int fd = -1;
    assert_int_equal(lock_take(dir, name, seconds, &fd, &err), -1);
    assert_int_equal(fd, -1);
    assert_string_equal(err.text, message);
}

static void a_second_taker_is_refused(void **state)
{
    (void)state;
    int held AUTO_CLOSE = take("lock", 0);
    int other AUTO_CLOSE = take("other", 0); /* another name is another lock */
    double begin = now();
    refuse("lock", 0, "another nodebake holds the lock lock");
    assert_true(now() - begin < 0.5);
    assert_true(held != other);
}

static void a_second_taker_waits(void **state)
{
    (void)state;
    int held AUTO_CLOSE = take("lock", 0);
    double begin = now();
    refuse("lock", 1, "another nodebake has held the lock lock for 1 s");
    assert_true(now() - begin >= 0.9);
}

static void closing_releases(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        int held AUTO_CLOSE = take("lock", 0);
        refuse("lock", 0, "another nodebake holds the lock lock");
    }
    int again AUTO_CLOSE = take("lock", 0);
    assert_int_equal(faccessat(dir, "lock", F_OK, 0), 0); /* the file stays */
}

/* A child that says when it has the lock, and holds it for so long. */
static pid_t hold(long milliseconds)
{
    int ends[2];
    char ready;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
        struct error err = ERROR_INIT;
        int fd;
        if (lock_take(dir, "lock", 0, &fd, &err) < 0 || write(ends[1], "", 1) != 1)
            _exit(1);
        nanosleep(&pause, NULL);
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    return child;
}

static void the_end_of_the_holder_releases(void **state)
{
    int status;
    (void)state;
    pid_t child = hold(60000);
    refuse("lock", 0, "another nodebake holds the lock lock");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    int held AUTO_CLOSE = take("lock", 0);
}

static void who_waits_gets_it(void **state)
{
    int status;
    (void)state;
    pid_t child = hold(300);
    int held AUTO_CLOSE = take("lock", 30);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    refuse("lock", 0, "another nodebake holds the lock lock");
}

static void the_file_is_private(void **state)
{
    struct stat st;
    (void)state;
    mode_t mask = umask(0);
    unlinkat(dir, "lock", 0);
    int held AUTO_CLOSE = take("lock", 0);
    umask(mask);
    assert_int_equal(fstatat(dir, "lock", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_int_equal(st.st_size, 0);
    assert_true(fcntl(held, F_GETFD) & FD_CLOEXEC); /* a program that is run does not keep it */
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    assert_int_equal(symlinkat("target", dir, "link"), 0);
    assert_int_equal(mkdirat(dir, "folder", 0700), 0);
    refuse("link", 0, "open lock link: Too many levels of symbolic links");
    assert_int_equal(faccessat(dir, "target", F_OK, 0), -1);
    refuse("folder", 0, "open lock folder: Is a directory");
    refuse("none/lock", 0, "open lock none/lock: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_taker_is_refused),
        cmocka_unit_test(a_second_taker_waits),
        cmocka_unit_test(closing_releases),
        cmocka_unit_test(who_waits_gets_it),
        cmocka_unit_test(the_end_of_the_holder_releases),
        cmocka_unit_test(the_file_is_private),
        cmocka_unit_test(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
