/* Imports that run beside other work. */
#include "builder/image/base-file.h"
#include "builder/image/disk-fixture.h"
#include "builder/progress.h"

enum { DISK_SIZE = 8 << 20 };

static int import(const char *path, struct error *err)
{
    const struct disk_file base = {.path = path};
    struct import *import;
    image_import_begin(&base, "a.raw", &import);
    return image_import_end(import, err);
}

static void it_is_done_when_it_ends(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_disk("base.raw", DISK_SIZE);
    put_noise("base.raw", DISK_SIZE / 2, 1 << 20, 1);
    expect(import("base.raw", &err), &err);
    RUN("cmp", "base.raw", "a.raw");
}

static void its_failure_is_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    expect_error(import("absent.raw", &err), &err, "open absent.raw: No such file or directory");
    assert_int_equal(access("a.raw", F_OK), -1);
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        IN_FOLDER(it_is_done_when_it_ends),
        IN_FOLDER(its_failure_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
