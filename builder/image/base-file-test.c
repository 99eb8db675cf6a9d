#include "builder/image/base-file.h"

#include <signal.h>

#include "builder/image/disk-fixture.h"
#include "builder/progress.h"

enum { DISK_SIZE = 8 << 20 };

/* A sparse disk with a few bytes in its middle. */
static void make_raw(const char *path)
{
    make_disk(path, DISK_SIZE);
    put_bytes(path, DISK_SIZE / 2, "in the middle", 13);
}

static void import(const char *base, const char *raw)
{
    struct error err = ERROR_INIT;
    struct disk_file file;
    expect(image_probe(base, &file, &err), &err);
    assert_ptr_equal(file.path, base);
    expect(image_import(&file, raw, &err), &err);
}

static void refuse(const char *base, const char *message)
{
    struct error err = ERROR_INIT;
    struct disk_file file;
    expect_error(image_probe(base, &file, &err), &err, message);
    assert_memory_equal(err.text, base, strlen(base));
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
    assert_true(stat_of("b.raw").st_blocks * 512 < DISK_SIZE / 4);
    assert_int_equal(stat_of("base.raw").st_size, DISK_SIZE);
}

static void the_format_is_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk_file file;
    make_raw("base.qcow2");
    RUN("qemu-img", "convert", "-O", "qcow2", "base.qcow2", "base.raw");
    expect(image_probe("base.raw", &file, &err), &err);
    assert_true(file.qcow2);
    expect(image_probe("base.qcow2", &file, &err), &err);
    assert_false(file.qcow2);
}

static void names_are_not_protocols(void **state)
{
    (void)state;
    make_raw("nbd:base.raw");
    import("nbd:base.raw", "json:a.raw");
    RUN("cmp", "nbd:base.raw", "json:a.raw");
    RUN("qemu-img", "convert", "-O", "qcow2", "./nbd:base.raw", "./nbd:base.qcow2");
    import("nbd:base.qcow2", "json:b.raw");
    RUN("cmp", "nbd:base.raw", "json:b.raw");
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
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=x", "-o",
        "encrypt.format=aes,encrypt.key-secret=s", "locked.qcow2", "1M");
    refuse("locked.qcow2", "locked.qcow2: is encrypted; decrypt it with qemu-img convert");
    RUN("qemu-img", "create", "-q", "-f", "vmdk", "base.vmdk", "1M");
    refuse("base.vmdk", "base.vmdk: a vmdk image; convert it to raw or qcow2");
    refuse("absent.qcow2", "absent.qcow2: No such file or directory");
    refuse("/dev/null", "/dev/null: not a disk image");
    make_disk("empty", 0);
    refuse("empty", "empty: not a disk image: it is empty");
}

static void broken_qcow2_is_refused(void **state)
{
    (void)state;
    enum { FEATURES_AT = 72, CORRUPT = 2 };
    static const char corrupt[8] = {[7] = CORRUPT};
    make_raw("base.raw");
    RUN("qemu-img", "convert", "-O", "qcow2", "base.raw", "base.qcow2");
    RUN("cp", "base.qcow2", "marked.qcow2");
    put_bytes("marked.qcow2", FEATURES_AT, corrupt, sizeof corrupt);
    refuse("marked.qcow2", "marked.qcow2: is marked as corrupt; see qemu-img check");
    off_t size = stat_of("base.qcow2").st_size;
    assert_int_equal(truncate("base.qcow2", size - 65536), 0);
    refuse("base.qcow2", "base.qcow2: is damaged or cut short");
    assert_int_equal(truncate("base.qcow2", 100), 0);
    struct error err = ERROR_INIT;
    struct disk_file file;
    expect_error(image_probe("base.qcow2", &file, &err), &err, "base.qcow2");
}

/* Disks are whole sectors, and holes may begin anywhere. */
static void odd_sizes_are_copied(void **state)
{
    (void)state;
    static const off_t sizes[] = {1, 511, 513, 65537, DISK_SIZE - 1};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        make_disk("base.raw", sizes[i]);
        put_noise("base.raw", sizes[i] - 1, 1, i + 1);
        import("base.raw", "a.raw");
        assert_int_equal(stat_of("a.raw").st_size, (sizes[i] + 511) / 512 * 512);
        assert_int_equal(truncate("a.raw", sizes[i]), 0);
        RUN("cmp", "base.raw", "a.raw");
    }
}

static void clones_are_equal_and_sparse(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_raw("a.raw");
    put_noise("a.raw", 0, 1, 1);
    put_noise("a.raw", DISK_SIZE - 3 * 65536, 2 * 65536, 2);
    make_disk("b.raw", 5);
    expect(image_clone("a.raw", "b.raw", "clone", &err), &err);
    RUN("cmp", "a.raw", "b.raw");
    check_private("b.raw");
    assert_true(stat_of("b.raw").st_blocks * 512 < DISK_SIZE / 4);
    assert_int_equal(image_clone("absent.raw", "c.raw", "clone", &err), -1);
    expect_error(-1, &err, "open absent.raw: No such file or directory");
    assert_int_equal(access("c.raw", F_OK), -1);
}

/* They have no holes: zeros are left out as they pass by. */
static void block_devices_are_imported(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    make_raw("a.raw");
    put_noise("a.raw", 1 << 20, 65536, 1);
    char *name AUTO_FREE = realpath("a.raw", NULL);
    const char *const argv[] = {"losetup", "--show", "-f", name, NULL};
    struct process losetup = {.argv = argv, .out = &out};
    if (process_run(&losetup, NULL, &err) < 0)
        skip();
    out.data[out.len - 1] = '\0';
    import(out.data, "b.raw");
    RUN("losetup", "-d", out.data);
    RUN("cmp", "a.raw", "b.raw");
    assert_true(stat_of("b.raw").st_blocks * 512 < DISK_SIZE / 4);
}

static void vanished_bases_are_errors(void **state)
{
    (void)state;
    make_raw("base.raw");
    RUN("qemu-img", "convert", "-O", "qcow2", "base.raw", "base.qcow2");
    static const char *const bases[] = {"base.raw", "base.qcow2"};
    for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
        struct error err = ERROR_INIT;
        struct disk_file file;
        expect(image_probe(bases[i], &file, &err), &err);
        assert_int_equal(unlink(bases[i]), 0);
        expect_error(image_import(&file, "a.raw", &err), &err, ": No such file or directory");
        assert_int_equal(access("a.raw", F_OK), -1);
    }
}

/* Somebody cuts and grows the base all the time. A copy may be over before its first cut, or
 * within one tick of the file system's clock: not every time. */
static void changing_bases_are_errors(void **state)
{
    (void)state;
    enum { TRIES = 1000 };
    struct error err = ERROR_INIT;
    struct disk_file file = {.path = "base.raw"};
    make_raw("base.raw");
    pid_t child = fork();
    while (child == 0)
        if (truncate("base.raw", DISK_SIZE / 4) < 0 || truncate("base.raw", DISK_SIZE) < 0)
            _exit(1);
    int result = 0;
    for (int i = 0; i < TRIES && result == 0; i++)
        result = image_import(&file, "a.raw", &err);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    expect_error(result, &err, "base.raw: ");
    expect_error(result, &err, "while it was read");
    assert_int_equal(access("a.raw", F_OK), -1);
}

static void missing_tools_are_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk_file file = {.path = "base.raw"}, qcow2 = {.path = "base.raw", .qcow2 = true};
    char *old AUTO_FREE = heap_copy(getenv("PATH"));
    make_raw("base.raw");
    setenv("PATH", "/nonexistent", 1);
    expect_error(image_probe("base.raw", &file, &err), &err, "run qemu-img: No such file");
    expect_error(image_import(&qcow2, "a.raw", &err), &err, "run qemu-img: No such file");
    expect_error(image_overlay("a.raw", "base.raw", &err), &err, "run qemu-img: No such file");
    assert_int_equal(access("a.raw", F_OK), -1);
    setenv("PATH", old, 1);
}

static int import_raw(struct error *err)
{
    return image_import(&(struct disk_file){.path = "base.raw"}, "small/a.raw", err);
}

static int import_qcow2(struct error *err)
{
    struct disk_file file = {.path = "base.qcow2", .qcow2 = true};
    int result = image_import(&file, "small/a.raw", err);
    return access("small/a.raw", F_OK) == 0 ? 0 : result;
}

static void full_disks_are_told(void **state)
{
    (void)state;
    make_raw("base.raw");
    put_noise("base.raw", 0, 2 << 20, 1);
    RUN("qemu-img", "convert", "-O", "qcow2", "base.raw", "base.qcow2");
    fails_on_full_disk(import_raw, "write small/a.raw: No space left on device");
    assert_int_equal(rmdir("small"), 0);
    fails_on_full_disk(import_qcow2, "No space left on device");
}

static void overlays_lie_on_their_neighbour(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    make_raw("base.raw");
    assert_int_equal(mkdir("out", 0755), 0);
    RUN("qemu-img", "convert", "-O", "qcow2", "base.raw", "out/role.qcow2");
    expect(image_overlay("out/node.qcow2", "role.qcow2", &err), &err);
    check_private("out/node.qcow2");
    RUN("qemu-img", "compare", "-q", "base.raw", "out/node.qcow2");
    const char *const argv[] = {"qemu-img", "info", "out/node.qcow2", NULL};
    struct process info = {.argv = argv, .out = &out};
    expect(process_run(&info, NULL, &err), &err);
    assert_non_null(strstr(out.data, "\nbacking file: role.qcow2 (actual path: out/role.qcow2)\n"));
    assert_non_null(strstr(out.data, "\nbacking file format: qcow2\n"));
    assert_non_null(strstr(out.data, "compat: 1.1\n"));
    expect(image_overlay("out/again.qcow2", "role.qcow2", &err), &err);
    RUN("cmp", "out/node.qcow2", "out/again.qcow2");
}

static void overlays_need_their_neighbour(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    expect_error(image_overlay("node.qcow2", "role.qcow2", &err), &err, "No such file");
    expect_error(image_overlay("node.qcow2", "out/role.qcow2", &err), &err,
                 "out/role.qcow2: a backing image must be a plain name of the same folder");
    expect_error(image_overlay("node.qcow2", "nbd:role", &err), &err, "must be a plain name");
    expect_error(image_overlay("absent/node.qcow2", "role.qcow2", &err), &err,
                 "create absent/node.qcow2: No such file or directory");
    assert_int_equal(access("node.qcow2", F_OK), -1);
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        IN_FOLDER(both_formats_are_imported),       IN_FOLDER(the_format_is_told),
        IN_FOLDER(names_are_not_protocols),         IN_FOLDER(other_files_are_refused),
        IN_FOLDER(broken_qcow2_is_refused),         IN_FOLDER(odd_sizes_are_copied),
        IN_FOLDER(clones_are_equal_and_sparse),     IN_FOLDER(block_devices_are_imported),
        IN_FOLDER(vanished_bases_are_errors),       IN_FOLDER(changing_bases_are_errors),
        IN_FOLDER(missing_tools_are_told),          IN_FOLDER(full_disks_are_told),
        IN_FOLDER(overlays_lie_on_their_neighbour), IN_FOLDER(overlays_need_their_neighbour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
