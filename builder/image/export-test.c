#include "builder/image/export.h"

#include <signal.h>
#include <sys/resource.h>

#include "builder/image/disk-fixture.h"
#include "builder/progress.h"

enum { DISK_SIZE = 8 << 20, NAME_MAX_BYTES = 64 };

static const struct export_options keep = {
    .label = "worker", .compression = "zstd", .mtime = 1700000000, .keep = true};
static const struct export_options take = {
    .label = "worker", .compression = "zstd", .mtime = 1700000000};

static const char *const all[] = {"raw", "qcow2", "gce", NULL};

static void make_raw(const char *path)
{
    make_disk(path, DISK_SIZE);
    put_noise(path, 0, 100, 1);
    put_noise(path, DISK_SIZE / 2 + 5, 300000, 2);
}

/* Exports in the formats to STEM.SUFFIX. */
static int export(const char *raw, const char *const *formats, const char *stem,
                  const struct export_options *options, struct error *err)
{
    struct output outputs[8] = {0};
    size_t n = 0;
    for (; formats[n]; n++) {
        const struct format *format = format_find(formats[n]);
        outputs[n] = (struct output){format, heap_printf("%s%s", stem, format->suffix)};
    }
    int result = image_export(raw, outputs, n, options, err);
    for (size_t i = 0; i < n; i++)
        free(outputs[i].path);
    return result;
}

static void check_private(const char *path)
{
    assert_int_equal(stat_of(path).st_mode & 07777, 0600);
}

static void check_image(const char *stem, const char *disk)
{
    char path[NAME_MAX_BYTES];
    snprintf(path, sizeof path, "%s.raw", stem);
    check_private(path);
    RUN("cmp", path, disk);
    snprintf(path, sizeof path, "%s.qcow2", stem);
    check_private(path);
    RUN("qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw", path, disk);
    RUN("qemu-img", "check", "-q", path);
    snprintf(path, sizeof path, "%s.tar.gz", stem);
    check_private(path);
    RUN("tar", "-xSf", path);
    RUN("qemu-img", "compare", "-q", "-f", "raw", "-F", "raw", "disk.raw", disk);
    assert_int_equal(unlink("disk.raw"), 0);
}

static void all_formats_come_of_one_reading(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_raw("a.raw");
    make_raw("same");
    assert_int_equal(mkdir("out", 0755), 0);
    expect(export("a.raw", all, "out/image", &keep, &err), &err);
    check_image("out/image", "same");
    RUN("cmp", "a.raw", "same");
    assert_true(stat_of("out/image.raw").st_blocks * 512 < DISK_SIZE / 2);
    assert_int_equal(count_files("out", ""), 3);
}

static void the_raw_file_becomes_the_raw_image(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_raw("a.raw");
    make_raw("same");
    assert_int_equal(mkdir("out", 0755), 0);
    ino_t inode = stat_of("a.raw").st_ino;
    expect(export("a.raw", all, "out/image", &take, &err), &err);
    assert_int_equal(stat_of("out/image.raw").st_ino, inode);
    assert_int_equal(access("a.raw", F_OK), -1);
    check_image("out/image", "same");
    assert_int_equal(count_files("out", ""), 3);
}

static void the_raw_file_goes_when_it_is_not_kept(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    static const char *const formats[] = {"qcow2", NULL};
    make_raw("a.raw");
    expect(export("a.raw", formats, "image", &take, &err), &err);
    assert_int_equal(access("a.raw", F_OK), -1);
    assert_int_equal(access("image.qcow2", F_OK), 0);
    make_raw("a.raw");
    expect(export("a.raw", formats, "image", &keep, &err), &err);
    assert_int_equal(access("a.raw", F_OK), 0);
}

/* Holes and zeros, as far as a host tells them apart. */
static void holes_do_not_show(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char *zeros AUTO_FREE = heap_array(DISK_SIZE, 1);
    make_raw("a.raw");
    make_disk("b.raw", DISK_SIZE);
    put_bytes("b.raw", 0, zeros, DISK_SIZE);
    put_noise("b.raw", 0, 100, 1);
    put_noise("b.raw", DISK_SIZE / 2 + 5, 300000, 2);
    assert_true(stat_of("b.raw").st_blocks > 2 * stat_of("a.raw").st_blocks);
    make_raw("c.raw");
    put_bytes("c.raw", (2 << 20) - 77, zeros, (1 << 20) + 1000);
    static const char *const disks[] = {"a", "b", "c"};
    for (size_t i = 0; i < ARRAY_LEN(disks); i++) {
        char *raw AUTO_FREE = heap_printf("%s.raw", disks[i]);
        expect(export(raw, all + 1, disks[i], &keep, &err), &err);
    }
    RUN("cmp", "a.qcow2", "b.qcow2");
    RUN("cmp", "a.qcow2", "c.qcow2");
    RUN("cmp", "a.tar.gz", "b.tar.gz");
    RUN("cmp", "a.tar.gz", "c.tar.gz");
}

static void odd_disks_are_exported(void **state)
{
    (void)state;
    static const off_t sizes[] = {512, 65536, 65536 * 16 + 512, DISK_SIZE - 512};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct error err = ERROR_INIT;
        make_disk("a.raw", sizes[i]);
        expect(export("a.raw", all, "empty", &keep, &err), &err);
        check_image("empty", "a.raw");
        put_noise("a.raw", sizes[i] - 1, 1, 1);
        expect(export("a.raw", all, "image", &keep, &err), &err);
        check_image("image", "a.raw");
    }
}

static void check_nothing_happened(const char *folder)
{
    static const char *const names[] = {"image.raw", "image.qcow2", "image.tar.gz"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path AUTO_FREE = heap_printf("%s/%s", folder, names[i]);
        assert_int_equal(stat_of(path).st_size, i + 1);
    }
    assert_int_equal(count_files(folder, ""), ARRAY_LEN(names));
}

static void make_old_images(const char *folder)
{
    static const char *const names[] = {"image.raw", "image.qcow2", "image.tar.gz"};
    assert_int_equal(mkdir(folder, 0755), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path AUTO_FREE = heap_printf("%s/%s", folder, names[i]);
        make_disk(path, (off_t)i + 1);
    }
}

static void failed_exports_leave_the_old_images(void **state)
{
    (void)state;
    char *old AUTO_FREE = heap_copy(getenv("PATH"));
    make_old_images("out");
    struct error err = ERROR_INIT;
    expect_error(export("a.raw", all, "out/image", &keep, &err), &err,
                 "open a.raw: No such file or directory");
    check_nothing_happened("out");
    expect_error(export("a.raw", all, "out/image", &take, &err), &err, "a.raw: No such file");
    check_nothing_happened("out");
    make_raw("a.raw");
    assert_int_equal(mkdir("bin", 0755), 0);
    assert_int_equal(symlink("/usr/bin/qemu-img", "bin/qemu-img"), 0);
    setenv("PATH", "bin", 1);
    for (int i = 0; i < 2; i++) {
        expect_error(export("a.raw", all, "out/image", i ? &take : &keep, &err), &err,
                     "run qemu-nbd: No such file");
        check_nothing_happened("out");
        assert_int_equal(stat_of("a.raw").st_size, DISK_SIZE);
    }
    setenv("PATH", old, 1);
}

/* The first two are complete when the third cannot be renamed over a folder. */
static void temporaries_go_when_a_name_is_taken(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_raw("a.raw");
    assert_int_equal(mkdir("out", 0755), 0);
    assert_int_equal(mkdir("out/image.raw", 0755), 0);
    expect_error(export("a.raw", all, "out/image", &keep, &err), &err,
                 "rename out/image.raw.nodebake-tmp to out/image.raw: Is a directory");
    assert_int_equal(count_files("out", ""), 1);
}

/* What an interrupted build left, and what somebody else put there. */
static void old_temporaries_are_replaced(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_raw("a.raw");
    make_disk("precious", 5);
    assert_int_equal(symlink("precious", "image.raw.nodebake-tmp"), 0);
    assert_int_equal(symlink("precious", "image.tar.gz.nodebake-tmp"), 0);
    make_disk("image.qcow2.nodebake-tmp", 9 << 20);
    expect(export("a.raw", all, "image", &keep, &err), &err);
    check_image("image", "a.raw");
    assert_int_equal(stat_of("precious").st_size, 5);
}

/* Whatever stands under a final name is whole, and no server goes on. */
static void killed_exports_leave_nothing_half_done(void **state)
{
    static const char *const names[] = {"image.raw", "image.qcow2", "image.tar.gz"};
    const char *folder = *state;
    make_raw("a.raw");
    put_noise("a.raw", 0, 4 << 20, 1);
    char *stem AUTO_FREE = heap_printf("%s/image", folder);
    for (long moment = 0; moment < 24; moment++) {
        const struct timespec pause = {.tv_nsec = moment * 5 * 1000 * 1000};
        pid_t child = fork();
        if (child == 0) {
            struct error err = ERROR_INIT;
            _exit(export("a.raw", all, stem, &keep, &err) < 0);
        }
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_true(qemu_nbd_gone(folder));
        if (access(names[0], F_OK) == 0)
            RUN("cmp", names[0], "a.raw");
        if (access(names[1], F_OK) == 0)
            RUN("qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw", names[1], "a.raw");
        if (access(names[2], F_OK) == 0)
            RUN("gzip", "-t", names[2]);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            assert_true(unlink(names[i]) == 0 || errno == ENOENT);
    }
}

static int export_to_small(struct error *err)
{
    make_old_images("small/out");
    int result = export("a.raw", all, "small/out/image", &keep, err);
    check_nothing_happened("small/out");
    return result;
}

static int export_moved(struct error *err)
{
    return export("a.raw", all + 1, "small/image", &take, err);
}

static void full_disks_are_told(void **state)
{
    (void)state;
    make_disk("a.raw", DISK_SIZE);
    put_noise("a.raw", 0, 2 << 20, 1);
    fails_on_full_disk(export_to_small, "image.raw.nodebake-tmp: No space left on device");
    assert_int_equal(rmdir("small"), 0);
    fails_on_full_disk(export_moved, ".nodebake-tmp: No space left on device");
    assert_int_equal(stat_of("a.raw").st_size, DISK_SIZE);
}

static void files_are_published(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_raw("tmp");
    assert_int_equal(chmod("tmp", 0644), 0);
    make_disk("image", 1);
    expect(image_publish("tmp", "image", &err), &err);
    check_private("image");
    assert_int_equal(stat_of("image").st_size, DISK_SIZE);
    assert_int_equal(access("tmp", F_OK), -1);
    expect_error(image_publish("tmp", "image", &err), &err, "sync tmp: No such file");
    expect_error(image_publish("image", "absent/image", &err), &err, "rename image to absent/");
    assert_int_equal(stat_of("image").st_size, DISK_SIZE);
    char *name AUTO_FREE = image_temporary("out/a.raw");
    assert_string_equal(name, "out/a.raw.nodebake-tmp");
}

static void formats_have_names(void **state)
{
    (void)state;
    assert_ptr_equal(format_find("raw"), &format_raw);
    assert_string_equal(format_find("qcow2")->suffix, ".qcow2");
    assert_string_equal(format_find("gce")->suffix, ".tar.gz");
    assert_true(format_qcow2.overlays && !format_raw.overlays && !format_gce.overlays);
    assert_null(format_find("vmdk"));
    assert_null(format_find(""));
    assert_string_equal(format_names(), "raw, qcow2, gce");
    assert_string_equal(format_names(), "raw, qcow2, gce");
}

static void memory_stays_small(void **state)
{
    (void)state;
    enum { KIB_MAX = 64 << 10, PIECES = 1000 };
    make_disk("a.raw", 64LL << 30);
    for (off_t i = 0; i < PIECES; i += 2)
        put_bytes("a.raw", i * FORMAT_PIECE, "x", 1);
    put_bytes("a.raw", (64LL << 30) - 1, "x", 1);
    pid_t child = fork();
    if (child == 0) {
        struct error err = ERROR_INIT;
        _exit(export("a.raw", all, "image", &keep, &err) < 0);
    }
    int status = -1;
    struct rusage used;
    assert_int_equal(wait4(child, &status, 0, &used), child);
    assert_int_equal(status, 0);
#ifndef __SANITIZE_ADDRESS__
    assert_in_range(used.ru_maxrss, 1, KIB_MAX);
#endif
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        IN_FOLDER(all_formats_come_of_one_reading),
        IN_FOLDER(the_raw_file_becomes_the_raw_image),
        IN_FOLDER(the_raw_file_goes_when_it_is_not_kept),
        IN_FOLDER(holes_do_not_show),
        IN_FOLDER(odd_disks_are_exported),
        IN_FOLDER(failed_exports_leave_the_old_images),
        IN_FOLDER(temporaries_go_when_a_name_is_taken),
        IN_FOLDER(old_temporaries_are_replaced),
        IN_FOLDER(killed_exports_leave_nothing_half_done),
        IN_FOLDER(full_disks_are_told),
        IN_FOLDER(files_are_published),
        IN_FOLDER(memory_stays_small),
        cmocka_unit_test(formats_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
