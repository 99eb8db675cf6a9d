#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/file.h"

#include <fcntl.h>

static char folder[] = "/tmp/nodebake-file-test-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return chdir("/") < 0 || rmdir(folder) < 0 ? -1 : 0;
}

static void published_files_read_back(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char memory[64];
    struct buffer text = BUFFER_FIXED(memory);
    struct stat st;
    assert_int_equal(file_publish(AT_FDCWD, "key", "secret", 6, 0600, &err), 0);
    assert_int_equal(file_publish(AT_FDCWD, "key", "newer", 5, 0640, &err), 0);
    assert_int_equal(file_read(AT_FDCWD, "key", 5, &text, &err), 0);
    assert_string_equal(memory, "newer");
    assert_int_equal(stat("key", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(unlink("key"), 0);
}

static void reads_are_bounded(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char memory[8];
    struct buffer text = BUFFER_FIXED(memory);
    assert_int_equal(file_publish(AT_FDCWD, "f", "0123456789", 10, 0600, &err), 0);
    assert_int_equal(file_read(AT_FDCWD, "f", 9, &text, &err), -1);
    assert_string_equal(err.text, "f: larger than the 9 bytes allowed");
    buffer_clear(&text);
    assert_int_equal(file_read(AT_FDCWD, "f", 10, &text, &err), -1);
    assert_string_equal(err.text, "f: does not fit in 8 bytes");
    assert_int_equal(unlink("f"), 0);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char memory[8];
    struct buffer text = BUFFER_FIXED(memory);
    assert_int_equal(file_read(AT_FDCWD, "absent", 9, &text, &err), -1);
    assert_string_equal(err.text, "absent: No such file or directory");
    assert_int_equal(file_read(AT_FDCWD, ".", 9, &text, &err), -1);
    assert_string_equal(err.text, ".: not a regular file");
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(file_read(AT_FDCWD, "fifo", 9, &text, &err), -1);
    assert_string_equal(err.text, "fifo: not a regular file");
    assert_int_equal(unlink("fifo"), 0);
}

static void a_failed_publish_leaves_the_old_file(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct stat st;
    assert_int_equal(mkdir("d", 0700), 0); /* renaming a file over a directory fails */
    assert_int_equal(file_publish(AT_FDCWD, "d", "x", 1, 0600, &err), -1);
    assert_non_null(strstr(err.text, "rename d.nodebake-tmp to d"));
    assert_int_equal(stat("d.nodebake-tmp", &st), -1);
    assert_int_equal(rmdir("d"), 0);
}

static void check_staged(void)
{
    struct error err = ERROR_INIT;
    struct stat st;
    assert_int_equal(file_stage(AT_FDCWD, "staged", "x", 1, 0640, geteuid(), getegid(), &err), 0);
    assert_int_equal(lstat("staged", &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(st.st_size, 1);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(unlink("staged"), 0);
}

static void staging_never_opens_what_is_there(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct stat st;
    assert_int_equal(symlink("elsewhere", "staged"), 0);
    check_staged();
    assert_int_equal(stat("elsewhere", &st), -1);

    assert_int_equal(mkfifo("staged", 0600), 0);
    check_staged();

    assert_int_equal(file_publish(AT_FDCWD, "precious", "kept", 4, 0600, &err), 0);
    assert_int_equal(link("precious", "staged"), 0);
    check_staged();
    assert_int_equal(stat("precious", &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(unlink("precious"), 0);

    assert_int_equal(mkdir("staged", 0700), 0);
    assert_int_equal(file_stage(AT_FDCWD, "staged", "x", 1, 0600, geteuid(), getegid(), &err), -1);
    assert_int_equal(rmdir("staged"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_files_read_back),
        cmocka_unit_test(reads_are_bounded),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(a_failed_publish_leaves_the_old_file),
        cmocka_unit_test(staging_never_opens_what_is_there),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
