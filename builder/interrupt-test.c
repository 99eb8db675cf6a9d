#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/interrupt.h"
#include "builder/process.h"

static char folder[] = "/tmp/nodebake-interrupt-test-XXXXXX";
static char first[sizeof folder + 8], second[sizeof folder + 8];

static int setup(void **state)
{
    (void)state;
    /* nohup, and shells in the background, leave them ignored. */
    signal(SIGHUP, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    if (!mkdtemp(folder))
        return -1;
    snprintf(first, sizeof first, "%s/first", folder);
    snprintf(second, sizeof second, "%s/second", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void make_files(void)
{
    assert_int_equal(close(open(first, O_WRONLY | O_CREAT, 0600)), 0);
    assert_int_equal(close(open(second, O_WRONLY | O_CREAT, 0600)), 0);
}

/* Ends a child by the signal, after it has asked for the files' removal. */
static int child_ended_by(int number, bool forget)
{
    pid_t child = fork();
    if (child == 0) {
        char copy[sizeof second];
        memcpy(copy, second, sizeof copy);
        interrupt_removes(first);
        interrupt_removes(copy);
        copy[0] = '\0'; /* the path was copied */
        if (forget)
            interrupt_keeps(second);
        raise(number);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return WTERMSIG(status);
}

static void signals_remove_what_is_unfinished(void **state)
{
    (void)state;
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        make_files();
        assert_int_equal(child_ended_by(numbers[i], false), numbers[i]);
        assert_int_equal(access(first, F_OK), -1);
        assert_int_equal(access(second, F_OK), -1);
    }
}

static void forgotten_files_stay(void **state)
{
    (void)state;
    make_files();
    assert_int_equal(child_ended_by(SIGTERM, true), SIGTERM);
    assert_int_equal(access(first, F_OK), -1);
    assert_int_equal(unlink(second), 0);
}

static void a_place_is_free_again(void **state)
{
    (void)state;
    make_files();
    pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < 2 * (size_t)INTERRUPT_FILES_MAX; i++) {
            interrupt_removes(second);
            interrupt_keeps(second);
        }
        interrupt_removes(first);
        raise(SIGTERM);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(access(first, F_OK), -1);
    assert_int_equal(unlink(second), 0);
}

static void an_ignored_signal_stays_ignored(void **state)
{
    (void)state;
    make_files();
    pid_t child = fork();
    if (child == 0) {
        signal(SIGHUP, SIG_IGN);
        interrupt_removes(first);
        raise(SIGHUP);
        interrupt_keeps(first);
        raise(SIGHUP);
        _exit(7);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(unlink(first), 0);
    assert_int_equal(unlink(second), 0);
}

/* Ends a child that runs a program which makes the file again and again. */
static void end_after(unsigned microseconds)
{
    pid_t child = fork();
    if (child == 0) {
        const char *const argv[] = {"sh", "-c", "while :; do : >\"$0\"; done", first, NULL};
        const struct process process = {.argv = argv};
        struct error err;
        interrupt_removes(first);
        _exit(process_run(&process, NULL, &err) < 0);
    }
    usleep(microseconds);
    assert_int_equal(kill(child, SIGTERM), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void no_program_makes_the_file_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        end_after(i * 30);
        assert_int_equal(access(first, F_OK), -1);
    }
    usleep(10000); /* one that was missed would go on */
    assert_int_equal(access(first, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_remove_what_is_unfinished),
        cmocka_unit_test(forgotten_files_stay),
        cmocka_unit_test(a_place_is_free_again),
        cmocka_unit_test(an_ignored_signal_stays_ignored),
        cmocka_unit_test(no_program_makes_the_file_again),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
