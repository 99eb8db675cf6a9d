#include "builder/package/deb-fixture.h"

#include "builder/package/prune.h"

/* Older ones have smaller numbers. */
static void make(int number)
{
    char *note AUTO_FREE = heap_printf("cache/%d.list", number);
    char *file AUTO_FREE = heap_printf("cache/%d/deep/file", number);
    const struct timespec times[2] = {{.tv_sec = 1000 + number}, {.tv_sec = 1000 + number}};
    put_file(file, "x", 0644);
    put_file(note, "x", 0644);
    assert_int_equal(utimensat(AT_FDCWD, note, times, 0), 0);
}

static void old_ones_go(void **state)
{
    (void)state;
    for (int i = 1; i <= 6; i++)
        make(i);
    put_file("cache/other", "x", 0644);
    prune_old("cache", ".list", "", 2, "3");
    for (int i = 1; i <= 6; i++) {
        char *note AUTO_FREE = heap_printf("cache/%d.list", i);
        char *folder AUTO_FREE = heap_printf("cache/%d", i);
        int there = i == 3 || i > 4 ? 0 : -1;
        assert_int_equal(access(note, F_OK), there);
        assert_int_equal(access(folder, F_OK), there);
    }
    assert_int_equal(access("cache/other", F_OK), 0);
}

static void absent_folders_are_fine(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    prune_old("nowhere", ".list", "", 0, "x");
    assert_int_equal(prune_tree("nowhere", &err), 0);
    put_file("file", "x", 0644);
    assert_int_equal(prune_tree("file", &err), 0);
    assert_int_equal(access("file", F_OK), -1);
    /* Links are not followed. */
    put_file("kept/file", "x", 0644);
    assert_int_equal(mkdir("gone", 0700), 0);
    assert_int_equal(symlink("../kept", "gone/link"), 0);
    assert_int_equal(prune_tree("gone", &err), 0);
    assert_int_equal(access("gone", F_OK), -1);
    assert_int_equal(access("kept/file", F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_ones_go),
        cmocka_unit_test(absent_folders_are_fine),
    };
    return cmocka_run_group_tests(tests, deb_setup, deb_teardown);
}
