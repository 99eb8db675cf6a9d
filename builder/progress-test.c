#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/progress.h"

enum { OUTPUT_MAX = 16384 };

static char output[OUTPUT_MAX + 1];

static void read_output(int fd)
{
    size_t len = 0;
    ssize_t n;
    while (len < OUTPUT_MAX && (n = read(fd, output + len, OUTPUT_MAX - len)) > 0)
        len += (size_t)n;
    output[len] = '\0';
    close(fd);
}

/* Runs the steps in a child whose standard error is a pipe, or a terminal. */
static void capture(void (*steps)(void), bool terminal)
{
    int fd[2] = {-1, -1};
    pid_t pid;
    fflush(NULL);
    if (terminal) {
        struct winsize size = {.ws_row = 24, .ws_col = 60};
        pid = forkpty(&fd[0], NULL, NULL, &size);
    } else {
        assert_int_equal(pipe(fd), 0);
        pid = fork();
    }
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!terminal)
            dup2(fd[1], STDERR_FILENO);
        steps();
        fflush(stderr);
        _exit(0);
    }
    if (!terminal)
        close(fd[1]);
    read_output(fd[0]);
    int status = -1;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static unsigned count(const char *needle)
{
    unsigned n = 0;
    for (const char *p = output; (p = strstr(p, needle)); p++)
        n++;
    return n;
}

static void nap(long milliseconds)
{
    struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void short_step(void)
{
    struct progress p = progress_start(1000, "copy %s", "base.raw");
    for (unsigned i = 0; i < 1000; i++)
        progress_add(&p, 1);
    progress_end(&p);
}

static void half_second_step(void)
{
    struct progress p =
        progress_start(500, "a label that is far too long for the %s columns of it", "sixty");
    for (unsigned i = 0; i < 500; i++) {
        nap(1);
        progress_add(&p, 1);
    }
    progress_end(&p);
}

static void long_step(void)
{
    struct progress p = progress_start(0, "launch");
    progress_add(NULL, 1);
    nap(2100);
    progress_add(&p, 1);
    progress_end(&p);
}

static void quiet_step(void)
{
    progress_quiet();
    long_step();
}

static void plain_output_names_the_step_once(void **state)
{
    (void)state;
    capture(short_step, false);
    assert_string_equal(output, "copy base.raw\n");
}

static void plain_output_tells_long_times(void **state)
{
    (void)state;
    capture(long_step, false);
    assert_memory_equal(output, "launch\nlaunch: 2.", 17);
    assert_int_equal(count("\n"), 2);
    assert_int_equal(count("\r"), 0);
}

static void terminal_redraws_at_most_ten_times_a_second(void **state)
{
    (void)state;
    capture(half_second_step, true);
    unsigned draws = count("%");
    assert_true(draws >= 2 && draws <= 40);
    assert_non_null(strstr(output, "  0 % [........................] a label"));
    assert_null(strstr(output, "columns of it\033[K")); /* cut, so that it cannot wrap */
    assert_int_equal(count("\n"), 1);
}

static void quiet_says_nothing(void **state)
{
    (void)state;
    capture(quiet_step, false);
    assert_string_equal(output, "");
    capture(quiet_step, true);
    assert_string_equal(output, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_output_names_the_step_once),
        cmocka_unit_test(plain_output_tells_long_times),
        cmocka_unit_test(terminal_redraws_at_most_ten_times_a_second),
        cmocka_unit_test(quiet_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
