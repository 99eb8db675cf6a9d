#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "firstboot/resolve.h"
#include "firstboot/walk.h"

/* A root R in a folder whose other files nobody may reach from inside:
 *
 *     outside/secret        says "outside"
 *     R/etc/name            says "inside"
 *     R/usr/bin/tool        says "tool"
 *     R/outside/secret      says "lure": where links that would lead out end
 */
static char top[] = "/tmp/resolve-test-XXXXXX";
static int root = -1;

static void put(const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    assert_int_equal(
        file_stage(AT_FDCWD, path, text, strlen(text), 0644, geteuid(), getegid(), &err), 0);
}

static int setup(void **state)
{
    (void)state;
    static const char *const dirs[] = {"outside",   "R",     "R/etc", "R/usr",
                                       "R/usr/bin", "R/var", "R/run", "R/outside"};
    assert_non_null(mkdtemp(top));
    assert_int_equal(chdir(top), 0);
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
        assert_int_equal(mkdir(dirs[i], 0755), 0);
    put("outside/secret", "outside");
    put("R/outside/secret", "lure");
    put("R/etc/name", "inside");
    put("R/usr/bin/tool", "tool");
    put("R/run/id", "id");
    static const struct {
        const char *target, *name;
    } links[] = {
        {"usr/bin", "R/bin"},
        {"/run", "R/var/run"},
        {"../run", "R/var/up"},
        {"../../../../outside", "R/etc/up-and-out"},
        {"/../outside/", "R/etc/absolute-out"},
        {"name", "R/etc/same"},
        {"/etc/same", "R/etc/twice"},
        {"/bin/tool", "R/etc/tool"},
        {"loop-b", "R/loop-a"},
        {"loop-a", "R/loop-b"},
        {"/nowhere", "R/dangling"},
        {"/proc/self/root", "R/escape"},
        {"var/./run/..", "R/dots"},
    };
    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        assert_int_equal(symlink(links[i].target, links[i].name), 0);
    char out[64];
    snprintf(out, sizeof out, "%s/outside", top);
    assert_int_equal(symlink(out, "R/real-path-out"), 0);
    root = open("R", O_PATH | O_DIRECTORY);
    assert_true(root >= 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    int status = -1;
    char *const argv[] = {"rm", "-rf", top, NULL};
    close(root);
    assert_int_equal(chdir("/"), 0);
    pid_t child = fork();
    if (child == 0) {
        execvp("rm", argv);
        _exit(1);
    }
    waitpid(child, &status, 0);
    return status;
}

static const struct {
    const char *path;
    const char *text; /* NULL: it fails with the error */
    int error;
} cases[] = {
    {"/etc/name", "inside", 0},
    {"etc/name", "inside", 0},
    {"//etc/.//name", "inside", 0},
    {"/etc/same", "inside", 0},
    {"/etc/twice", "inside", 0},
    {"/bin/tool", "tool", 0},
    {"/etc/tool", "tool", 0},
    {"/var/run/id", "id", 0},
    {"/var/up/id", "id", 0},
    {"/../../../outside/secret", "lure", 0},
    {"/etc/../outside/secret", "lure", 0},
    {"/etc/up-and-out/secret", "lure", 0},
    {"/etc/absolute-out/secret", "lure", 0},
    {"/dots/etc/name", "inside", 0},
    {"/bin/../../etc/name", "inside", 0}, /* usr/bin/../.. is the root */
    {"/real-path-out/secret", NULL, ENOENT},
    {"/escape/etc/passwd", NULL, ENOENT},
    {"/etc/missing", NULL, ENOENT},
    {"/missing/name", NULL, ENOENT},
    {"/dangling", NULL, ENOENT},
    {"/dangling/x", NULL, ENOENT},
    {"/etc/name/x", NULL, ENOTDIR},
    {"/loop-a", NULL, ELOOP},
    {"/loop-a/x", NULL, ELOOP},
};

typedef int opener(int rootfd, const char *path, int flags);

static void check_cases(opener *open_in)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[16] = "";
        errno = 0;
        int fd AUTO_CLOSE = open_in(root, cases[i].path, O_RDONLY);
        int error = fd < 0 ? errno : 0;
        if (fd >= 0)
            assert_true(read(fd, text, sizeof text - 1) >= 0);
        if ((cases[i].text != NULL) != (fd >= 0) ||
            strcmp(text, cases[i].text ? cases[i].text : "") || error != cases[i].error)
            fail_msg("%s: '%s', errno %d", cases[i].path, text, error);
    }
}

static void check_dirs(opener *open_in)
{
    static const struct {
        const char *path, *same;
    } dirs[] = {{"/", "R"},           {"/..", "R"},       {"/etc/..", "R"},
                {"/etc/.", "R/etc"},  {"/etc/", "R/etc"}, {"/bin", "R/usr/bin"},
                {"/bin/..", "R/usr"}, {"/dots", "R"},     {"/var/run/", "R/run"}};
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        struct stat got, wanted;
        int fd AUTO_CLOSE = open_in(root, dirs[i].path, O_RDONLY | O_DIRECTORY);
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &got), 0);
        assert_int_equal(stat(dirs[i].same, &wanted), 0);
        if (got.st_ino != wanted.st_ino)
            fail_msg("%s is not %s", dirs[i].path, dirs[i].same);
        assert_int_equal(fsync(fd), 0); /* it was not opened just to be passed */
    }
    assert_int_equal(open_in(root, "/etc/name", O_RDONLY | O_DIRECTORY), -1);
    assert_int_equal(errno, ENOTDIR);
}

static void openat2_stays_inside(void **state)
{
    (void)state;
    check_cases(resolve_open);
    check_dirs(resolve_open);
}

static void walk_stays_inside(void **state)
{
    (void)state;
    check_cases(walk_open);
    check_dirs(walk_open);
}

static void walk_is_bounded(void **state)
{
    (void)state;
    static char path[5000];
    for (size_t n = 0; n + 5 < sizeof path; n += 4)
        strcpy(path + n, "etc/");
    assert_int_equal(walk_open(root, path, O_RDONLY), -1);
    assert_int_equal(errno, ENAMETOOLONG);

    path[0] = '\0';
    for (int i = 0; i < 65; i++)
        strcat(path, "/etc/..");
    assert_int_equal(walk_open(root, path, O_RDONLY), -1);
    assert_int_equal(errno, ELOOP);
}

static void leaks_no_descriptor(void **state)
{
    (void)state;
    int before = dup(root);
    close(before);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd AUTO_CLOSE = walk_open(root, cases[i].path, O_RDONLY);
    }
    int after = dup(root);
    close(after);
    assert_int_equal(before, after);
}

static void reads_are_whole_and_bounded(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char bytes[7];
    struct buffer b = BUFFER_FIXED(bytes);
    assert_int_equal(resolve_read(root, "/etc/name", &b, &err), 1); /* six bytes and a NUL */
    assert_string_equal(bytes, "inside");
    b = (struct buffer){.data = bytes, .cap = 6};
    assert_int_equal(resolve_read(root, "/etc/name", &b, &err), -1);
    assert_string_equal(err.text, "/etc/name: larger than the 5 bytes allowed");
    b = (struct buffer)BUFFER_FIXED(bytes);
    assert_int_equal(resolve_read(root, "/etc/missing", &b, &err), 0);
    assert_int_equal(resolve_read(root, "/etc", &b, &err), -1);
    assert_string_equal(err.text, "/etc: not a regular file");
    assert_int_equal(mkfifo("R/fifo", 0600), 0);
    assert_int_equal(resolve_read(root, "/fifo", &b, &err), -1);
    assert_string_equal(err.text, "/fifo: not a regular file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openat2_stays_inside),
        cmocka_unit_test(walk_stays_inside),
        cmocka_unit_test(walk_is_bounded),
        cmocka_unit_test(leaks_no_descriptor),
        cmocka_unit_test(reads_are_whole_and_bounded),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
