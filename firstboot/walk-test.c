#include "firstboot/root-fixture.h"
#include "firstboot/walk.h"

/* Where its paths lead is tested beside openat2, in resolve-test.c. */

static int setup(void **state)
{
    root_setup(state);
    put("etc/name", "inside");
    return symlinkat("name", root, "etc/link");
}

/* O_PATH is no way to get hold of a link itself: openat2 follows it too. */
static void a_last_link_is_followed_whatever_the_flags(void **state)
{
    (void)state;
    struct stat st;
    int fd AUTO_CLOSE = walk_open(root, "/etc/link", O_PATH);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_ino, look("etc/name").st_ino);
    assert_int_equal(symlinkat("/nowhere", root, "dangling"), 0);
    assert_int_equal(walk_open(root, "/dangling", O_PATH), -1);
    assert_int_equal(errno, ENOENT);
}

static void the_flags_are_those_of_the_last_open(void **state)
{
    (void)state;
    int fd AUTO_CLOSE = walk_open(root, "/etc/link", O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "new", 3), 3);
    assert_string_equal(get("etc/name"), "new");
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    int dir AUTO_CLOSE = walk_open(root, "/etc/..", O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    assert_true(fcntl(dir, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(walk_open(root, "/etc", O_WRONLY), -1);
    assert_int_equal(errno, EISDIR);
}

static void the_last_step_that_is_allowed_is_taken(void **state)
{
    (void)state;
    char path[64 * 7 + 16] = "";
    for (int i = 0; i < 63; i++)
        strcat(path, "/etc/..");
    int fd AUTO_CLOSE = walk_open(root, path, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    strcat(path, "/etc/link");
    assert_int_equal(walk_open(root, path, O_RDONLY), -1);
    assert_int_equal(errno, ELOOP);
}

/* A path that fits, until a link in it is replaced by what it says. */
static void a_path_that_grows_too_long_is_refused(void **state)
{
    (void)state;
    static char target[4001], path[4200] = "/far/";
    memset(target, '/', sizeof target - 1);
    assert_int_equal(symlinkat(target, root, "far"), 0);
    for (size_t n = 5; n < 85; n++)
        path[n] = 'x';
    assert_int_equal(walk_open(root, path, O_RDONLY), -1);
    assert_int_equal(errno, ENOENT);
    for (size_t n = 85; n < 185; n++)
        path[n] = n % 50 ? 'x' : '/';
    assert_int_equal(walk_open(root, path, O_RDONLY), -1);
    assert_int_equal(errno, ENAMETOOLONG);

    assert_int_equal(unlinkat(root, "far", 0), 0);
    target[0] = '.'; /* the same with a relative link: what is before it counts too */
    assert_int_equal(symlinkat(target, root, "etc/far"), 0);
    assert_int_equal(walk_open(root, "/etc/far", O_RDONLY | O_DIRECTORY) >= 0, 1);
    snprintf(path, sizeof path, "/etc/far/%0200d", 0);
    assert_int_equal(walk_open(root, path, O_RDONLY), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

static void a_failure_leaves_no_descriptor(void **state)
{
    (void)state;
    static const char *const paths[] = {"/etc/missing", "/etc/name/x", "/etc/link/x"};
    int before = dup(root);
    close(before);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_int_equal(walk_open(root, paths[i], O_RDONLY), -1);
    assert_int_equal(walk_open(root, "/etc/name", O_RDONLY | O_DIRECTORY), -1);
    int after = dup(root);
    close(after);
    assert_int_equal(before, after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, root_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_last_link_is_followed_whatever_the_flags),
        TEST(the_flags_are_those_of_the_last_open),
        TEST(the_last_step_that_is_allowed_is_taken),
        TEST(a_path_that_grows_too_long_is_refused),
        TEST(a_failure_leaves_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
