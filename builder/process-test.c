#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/process.h"
#include "common/cleanup.h"

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void refused(const struct process *p, const char *message)
{
    struct error err = ERROR_INIT;
    assert_int_equal(process_run(p, NULL, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
    assert_null(strchr(err.text, '\n'));
}

static void output_is_appended(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    buffer_puts(&out, "before ");
    struct process p = {.argv = ARGV("printf", "%s|%s", "a b", "$HOME; `id`"), .out = &out};
    assert_int_equal(process_run(&p, NULL, &err), 0);
    assert_string_equal(out.data, "before a b|$HOME; `id`");
    assert_string_equal(err.text, "");
}

static void input_is_empty(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct process p = {.argv = ARGV("cat"), .out = &out, .deadline = 20};
    assert_int_equal(process_run(&p, NULL, &err), 0);
    assert_int_equal(out.len, 0);
}

static void text_is_handed_over(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    char *lengthy AUTO_FREE = heap_array(300001, 1);
    memset(lengthy, 'x', 300000);
    struct process p = {.argv = ARGV("cat"), .input = "one\ntwo\n", .out = &out};
    assert_int_equal(process_run(&p, NULL, &err), 0);
    assert_string_equal(out.data, "one\ntwo\n");
    p.input = lengthy;
    buffer_clear(&out);
    assert_int_equal(process_run(&p, NULL, &err), 0);
    assert_string_equal(out.data, lengthy);
}

static void input_can_be_closed(void **state)
{
    (void)state;
    struct process p = {.argv = ARGV("cat"), .no_input = true};
    refused(&p, "cat: exit status 1: ");
    refused(&p, "Bad file descriptor");
}

static void environment_is_added_to(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    setenv("NB_KEPT", "kept", 1);
    setenv("NB_CHANGED", "old", 1);
    setenv("NB_CHANGED_NOT", "same", 1);
    struct process p = {.argv =
                            ARGV("printenv", "NB_KEPT", "NB_CHANGED", "NB_NEW", "NB_CHANGED_NOT"),
                        .env = ARGV("NB_CHANGED=new", "NB_NEW=fresh"),
                        .out = &out};
    assert_int_equal(process_run(&p, NULL, &err), 0);
    assert_string_equal(out.data, "kept\nnew\nfresh\nsame\n");
}

static void exit_status_is_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    int status = -1;
    struct process p = {.argv = ARGV("false")};
    refused(&p, "false: exit status 1");
    assert_int_equal(process_run(&p, &status, &err), 0);
    assert_int_equal(status, 1);
    p.argv = ARGV("true");
    assert_int_equal(process_run(&p, &status, &err), 0);
    assert_int_equal(status, 0);
}

static void last_errors_are_cited(void **state)
{
    (void)state;
    struct process p = {.argv = ARGV("ls", "/nonexistent/a", "/nonexistent/b")};
    refused(&p, "ls: exit status 2: ");
    refused(&p, "/nonexistent/b': No such file");
    refused(&p, "|"); /* two lines became one */
}

static void absent_program_is_named(void **state)
{
    (void)state;
    struct process p = {.argv = ARGV("nodebake-no-such-program")};
    refused(&p, "run nodebake-no-such-program: No such file or directory");
}

static void tools_of_the_system_are_found(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    char *path AUTO_FREE = heap_copy(getenv("PATH"));
    setenv("PATH", "/usr/bin", 1);
    struct process p = {.argv = ARGV("ldconfig", "--version"), .out = &out};
    int result = process_run(&p, NULL, &err);
    setenv("PATH", path, 1);
    assert_int_equal(result, 0);
    assert_memory_equal(out.data, "ldconfig ", 9);
}

static void signals_are_errors(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    int status = -1;
    struct process p = {.argv = ARGV("timeout", "-s", "KILL", "0.1", "sleep", "30")};
    assert_int_equal(process_run(&p, &status, &err), -1);
    assert_non_null(strstr(err.text, "timeout: killed by signal 9"));
}

static void output_is_bounded(void **state)
{
    (void)state;
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct process p = {.argv = ARGV("yes"), .out = &out, .out_max = 100000};
    refused(&p, "yes: more than 100000 bytes of output");
}

static void count_bytes(void *ctx, const char *bytes, size_t n)
{
    size_t *total = ctx;
    (void)bytes;
    *total += n;
}

static void large_output_reaches_the_reader(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    size_t total = 0;
    struct process p = {.argv = ARGV("head", "-c", "3000000", "/dev/zero"),
                        .reader = count_bytes,
                        .reader_ctx = &total};
    assert_int_equal(process_run(&p, NULL, &err), 0);
    assert_int_equal(total, 3000000);
}

/* Is there a process with this argument? */
static int runs(const char *argument)
{
    DIR *proc = opendir("/proc");
    struct dirent *item;
    int found = 0;
    while ((item = readdir(proc))) {
        char path[300], text[512] = "";
        snprintf(path, sizeof path, "/proc/%s/cmdline", item->d_name);
        int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
        if (n > 0 && memmem(text, (size_t)n, argument, strlen(argument)))
            found++;
    }
    closedir(proc);
    return found;
}

static void deadline_ends_the_whole_group(void **state)
{
    (void)state;
    char seconds[32];
    snprintf(seconds, sizeof seconds, "60.%d", getpid());
    struct process p = {.argv = ARGV("xargs", "sleep", seconds), .deadline = 1};
    time_t start = time(NULL);
    refused(&p, "xargs: not done after 1 seconds");
    assert_true(time(NULL) - start < 10);
    /* On a busy machine what was killed takes a moment to be gone. */
    for (int i = 0; i < 500 && runs(seconds); i++)
        usleep(10000);
    assert_int_equal(runs(seconds), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_is_appended),
        cmocka_unit_test(input_is_empty),
        cmocka_unit_test(text_is_handed_over),
        cmocka_unit_test(input_can_be_closed),
        cmocka_unit_test(environment_is_added_to),
        cmocka_unit_test(exit_status_is_told),
        cmocka_unit_test(last_errors_are_cited),
        cmocka_unit_test(absent_program_is_named),
        cmocka_unit_test(tools_of_the_system_are_found),
        cmocka_unit_test(signals_are_errors),
        cmocka_unit_test(output_is_bounded),
        cmocka_unit_test(large_output_reaches_the_reader),
        cmocka_unit_test(deadline_ends_the_whole_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
