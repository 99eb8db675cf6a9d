#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/image/format.h"
#include "builder/process.h"
#include "builder/progress.h"
#include "common/cleanup.h"
#include "common/file.h"

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

enum { DISK_SIZE = 8 << 20 };

static void run(const char *const *argv)
{
    struct error err = ERROR_INIT;
    struct process p = {.argv = argv};
    if (process_run(&p, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

/* Every test works in an empty folder of its own. */
static int enter_folder(void **state)
{
    char *folder = heap_copy("/tmp/nodebake-format-XXXXXX");
    *state = folder;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    RUN("rm", "-r", *state);
    free(*state);
    return chdir("/");
}

/* A sparse disk with a few bytes in its middle. */
static void make_raw(const char *path)
{
    static const char text[] = "in the middle";
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, DISK_SIZE), 0);
    assert_int_equal(pwrite(fd, text, sizeof text, DISK_SIZE / 2), sizeof text);
}

static struct stat stat_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st;
}

static void import(const char *base, const char *raw)
{
    struct error err = ERROR_INIT;
    if (image_check(base, &err) < 0 || image_import(base, raw, &err) < 0)
        fail_msg("%s", err.text);
}

static void refuse(const char *base, const char *message)
{
    struct error checked = ERROR_INIT, err = ERROR_INIT;
    assert_int_equal(image_check(base, &checked), -1);
    assert_int_equal(image_import(base, "out.raw", &err), -1);
    assert_string_equal(checked.text, err.text);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
    assert_int_equal(access("out.raw", F_OK), -1);
}

static void check_private(const char *path)
{
    assert_int_equal(stat_of(path).st_mode & 07777, 0600);
}

static void both_formats_are_imported(void **state)
{
    (void)state;
    make_raw("base.raw");
    RUN("qemu-img", "convert", "-O", "qcow2", "-c", "base.raw", "base.qcow2");
    /* What an interrupted build may have left. */
    assert_int_equal(symlink("/etc/passwd", "a.raw"), 0);
    import("base.raw", "a.raw");
    import("base.qcow2", "b.raw");
    RUN("cmp", "base.raw", "a.raw");
    RUN("cmp", "base.raw", "b.raw");
    check_private("a.raw");
    check_private("b.raw");
    assert_true(stat_of("a.raw").st_blocks * 512 < DISK_SIZE / 4);
    assert_int_equal(stat_of("base.raw").st_size, DISK_SIZE);
}

static void names_are_not_protocols(void **state)
{
    (void)state;
    make_raw("nbd:base.raw");
    import("nbd:base.raw", "json:a.raw");
    RUN("cmp", "nbd:base.raw", "json:a.raw");
}

static void other_files_are_refused(void **state)
{
    (void)state;
    make_raw("base.raw");
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "thin.qcow2");
    refuse("thin.qcow2", "thin.qcow2: needs another file (base.raw); flatten it");
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file=data.raw,data_file_raw=on",
        "apart.qcow2", "1M");
    refuse("apart.qcow2", "apart.qcow2: its data lie in another file (data.raw)");
    RUN("qemu-img", "create", "-q", "-f", "vmdk", "base.vmdk", "1M");
    refuse("base.vmdk", "base.vmdk: a vmdk image; convert it to raw or qcow2");
    refuse("absent.qcow2", "absent.qcow2: No such file or directory");
    refuse("/dev/null", "/dev/null: not a disk image");
}

static void broken_qcow2_is_refused(void **state)
{
    (void)state;
    make_raw("base.raw");
    RUN("qemu-img", "convert", "-O", "qcow2", "base.raw", "base.qcow2");
    off_t size = stat_of("base.qcow2").st_size;
    assert_int_equal(truncate("base.qcow2", size - 65536), 0);
    refuse("base.qcow2", "base.qcow2: is damaged or cut short");
    assert_int_equal(truncate("base.qcow2", 100), 0);
    refuse("base.qcow2", "base.qcow2");
}

static void export_image(const char *format, const char *path, bool last)
{
    struct error err = ERROR_INIT;
    if (image_export(format_find(format), "image.raw", path, last, &err) < 0)
        fail_msg("%s", err.text);
    check_private(path);
}

static void images_are_exported(void **state)
{
    (void)state;
    make_raw("image.raw");
    make_raw("same.raw");
    mkdir("out", 0755);
    export_image("raw", "out/copy.raw", false);
    export_image("qcow2", "out/image.qcow2", false);
    ino_t inode = stat_of("image.raw").st_ino;
    export_image("raw", "moved.raw", true);
    assert_int_equal(stat_of("moved.raw").st_ino, inode);
    assert_int_equal(access("image.raw", F_OK), -1);
    RUN("cmp", "out/copy.raw", "same.raw");
    RUN("cmp", "moved.raw", "same.raw");
    RUN("qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw", "out/image.qcow2", "same.raw");
    RUN("qemu-img", "check", "-q", "out/image.qcow2");
}

static void last_export_takes_the_raw_file_away(void **state)
{
    (void)state;
    make_raw("image.raw");
    export_image("qcow2", "image.qcow2", true);
    assert_int_equal(access("image.raw", F_OK), -1);
    assert_int_equal(access("image.qcow2.nodebake-tmp", F_OK), -1);
}

static void failed_exports_leave_the_old_image(void **state)
{
    (void)state;
    static const char *const formats[] = {"raw", "qcow2"};
    make_raw("old");
    for (size_t i = 0; i < 2; i++) {
        struct error err = ERROR_INIT;
        assert_int_equal(image_export(format_find(formats[i]), "absent.raw", "old", false, &err),
                         -1);
        assert_non_null(strstr(err.text, "absent.raw"));
        assert_int_equal(stat_of("old").st_size, DISK_SIZE);
        assert_int_equal(access("old.nodebake-tmp", F_OK), -1);
    }
}

static void formats_have_names(void **state)
{
    (void)state;
    assert_non_null(format_find("raw"));
    assert_string_equal(format_find("qcow2")->suffix, ".qcow2");
    assert_null(format_find("vmdk"));
    assert_null(format_find(""));
    assert_string_equal(format_names(), "raw, qcow2");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        IN_FOLDER(both_formats_are_imported),
        IN_FOLDER(names_are_not_protocols),
        IN_FOLDER(other_files_are_refused),
        IN_FOLDER(broken_qcow2_is_refused),
        IN_FOLDER(images_are_exported),
        IN_FOLDER(last_export_takes_the_raw_file_away),
        IN_FOLDER(failed_exports_leave_the_old_image),
        cmocka_unit_test(formats_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
