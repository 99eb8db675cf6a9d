/* What remove leaves: a whole file system, its room free again, nothing of what was there. */
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/progress.h"

enum { MANY = 1200 };

static const char *const ALL_KINDS[] = {
    "-t ext4 -b 4096",
    "-t ext4 -b 1024 -N 8192",
    "-t ext4 -b 4096 -O ^metadata_csum,^64bit",
    "-t ext4 -b 2048 -N 8192 -O ^dir_index,^filetype",
    "-t ext3 -b 1024 -I 128 -N 8192",
    "-t ext2 -b 4096",
    "-t ext4 -O inline_data",
    "-t ext4 -b 4096 -O metadata_csum_seed,orphan_file",
};

static int make_dirty_root(void **state)
{
    char path[64];
    if (make_root(state) < 0)
        return -1;
    RUN("mkdir", "-p", "root/tmp/a/b/c", "root/many", "root/run", "root/var");
    char *large AUTO_FREE = make_text("SECRET-LARGE\n", 300000);
    write_file("root/tmp/a/large", large, 300000);
    write_file("root/tmp/a/b/c/tiny", "SECRET-TINY", 11);
    write_file("root/tmp/one", "kept by its other name", 22);
    RUN("ln", "root/tmp/one", "root/etc/two");
    RUN("ln", "root/tmp/a/large", "root/tmp/a/b/again");
    RUN("ln", "-s", "/etc/file", "root/tmp/a/link");
    RUN("ln", "-s", "/etc", "root/tmp/folder");
    RUN("ln", "-s", "/run", "root/var/run");
    RUN("mkfifo", "root/tmp/a/fifo");
    write_file("root/run/pid", "SECRET-PID", 10);
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "root/many/a-name-of-a-file-that-is-there-%d", i);
        write_file(path, "", 0);
    }
    return 0;
}

static void take(struct disk *disk, const char *path)
{
    struct error err = ERROR_INIT;
    if (ext4_remove(disk, path, MTIME, &err) < 0)
        fail_msg("%s", err.text);
    expect_exists(disk, path, 0);
}

static void refuse(struct disk *disk, const char *path, const char *message)
{
    struct error err = ERROR_INIT;
    assert_int_equal(ext4_remove(disk, path, MTIME, &err), -1);
    assert_string_equal(err.text, message);
}

/* Only e2fsck makes an index outside of a kernel: 1 says that it did. */
static void make_indexed(const char *path, const char *options)
{
    int status;
    struct error err = ERROR_INIT;
    make_disk(path, 24, options, "root");
    char *device AUTO_FREE = heap_printf("%s" ROOT_AT, path);
    const char *const argv[] = {"e2fsck", "-fyD", device, NULL};
    assert_int_equal(process_run(&(struct process){.argv = argv}, &status, &err), 0);
    assert_in_range(status, 0, 1);
}

static void everything_of_it_goes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ALL_KINDS); i++) {
        print_message("# %s\n", ALL_KINDS[i]);
        make_indexed("disk.raw", ALL_KINDS[i]);
        struct disk *disk = open_disk("disk.raw", true);
        ext2_filsys fs = root_of(disk);
        unsigned inodes = fs->super->s_free_inodes_count;
        uint64_t blocks = free_blocks(disk);
        take(disk, "/tmp/a");
        take(disk, "/tmp/folder");
        take(disk, "/var/run/pid");
        /* a, b, c, large, tiny, link, fifo, folder, pid */
        assert_int_equal(fs->super->s_free_inodes_count, inodes + 9);
        assert_true(free_blocks(disk) >= blocks + 300000 / fs->blocksize);
        expect_exists(disk, "/etc/file", 1);
        close_disk(disk);
        check_disk("disk.raw");
        assert_false(disk_holds("disk.raw", "SECRET"));
        EXPECT("disk.raw", "?stat /tmp", "Links: 2", "mtime: 0x5e0be100", "ctime: 0x5f5e1000",
               "?stat /run", "mtime: 0x5e0be100", "?stat /etc", "!mtime: 0x5e0be100",
               "?stat /tmp/one", "Links: 2");
    }
}

static void hard_links_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        make_disk("disk.raw", 24, KINDS[i], "root");
        struct disk *disk = open_disk("disk.raw", true);
        take(disk, "/tmp/one");
        expect_text(disk, "/etc/two", "kept by its other name");
        take(disk, "/tmp/a/b");
        close_disk(disk);
        check_disk("disk.raw");
        assert_true(disk_holds("disk.raw", "SECRET-LARGE"));
        EXPECT("disk.raw", "?stat /etc/two", "Links: 1", "?stat /tmp/a/large", "Links: 1",
               "?stat /tmp/a", "Links: 2");
        disk = open_disk("disk.raw", true);
        take(disk, "/etc/two");
        take(disk, "/tmp/a/large");
        close_disk(disk);
        check_disk("disk.raw");
        assert_false(disk_holds("disk.raw", "SECRET-LARGE"));
    }
}

/* Every other name of a large directory, and then all that is left. */
static void indexes_stay_valid(void **state)
{
    (void)state;
    char path[64];
    for (size_t i = 0; i < ARRAY_LEN(ALL_KINDS); i++) {
        print_message("# %s\n", ALL_KINDS[i]);
        make_indexed("disk.raw", ALL_KINDS[i]);
        struct disk *disk = open_disk("disk.raw", true);
        unsigned inodes = root_of(disk)->super->s_free_inodes_count;
        for (int n = 0; n < MANY; n += 2) {
            snprintf(path, sizeof path, "/many/a-name-of-a-file-that-is-there-%d", n);
            struct error err = ERROR_INIT;
            assert_int_equal(ext4_remove(disk, path, MTIME, &err), 0);
        }
        put_text(disk, "/many/new", "found", 0644);
        put_text(disk, "/many/deeper/file", "found", 0644);
        close_disk(disk);
        check_disk("disk.raw");
        disk = open_disk("disk.raw", true);
        expect_exists(disk, "/many/a-name-of-a-file-that-is-there-2", 0);
        expect_exists(disk, "/many/a-name-of-a-file-that-is-there-3", 1);
        expect_text(disk, "/many/new", "found");
        take(disk, "/many");
        assert_int_equal(root_of(disk)->super->s_free_inodes_count, inodes + MANY + 1);
        close_disk(disk);
        check_disk("disk.raw");
    }
}

/* Extended attributes in a block of their own; two inodes may share one. */
static void attributes_go(void **state)
{
    (void)state;
    char *value AUTO_FREE = make_text("SECRET-VALUE\n", 700);
    struct xattr xattr = {"user.secret", value, 700};
    struct entry file = file_entry("/tmp/marked", "x", 0644);
    file.xattrs = &xattr;
    file.xattr_count = 1;
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        make_disk("disk.raw", 24, KINDS[i], "root");
        struct disk *disk = open_disk("disk.raw", true);
        put(disk, file);
        close_disk(disk);
        check_disk("disk.raw");
        assert_true(disk_holds("disk.raw", "SECRET-VALUE"));
        disk = open_disk("disk.raw", true);
        take(disk, "/tmp/marked");
        close_disk(disk);
        check_disk("disk.raw");
        assert_false(disk_holds("disk.raw", "SECRET-VALUE"));
    }
}

static void what_is_not_there_changes_nothing(void **state)
{
    (void)state;
    make_disk("disk.raw", 24, KINDS[0], "root");
    RUN("cp", "disk.raw", "before.raw");
    struct disk *disk = open_disk("disk.raw", true);
    take(disk, "/tmp/none");
    take(disk, "/none/none");
    take(disk, "/etc/file/none");
    disk->volumes[disk->volume_count++] = (struct volume){.dir = heap_copy("/tmp/a/b")};
    refuse(disk, "/tmp/a", "remove /tmp/a: the file system /tmp/a/b is mounted there");
    refuse(disk, "/tmp/a/b", "remove /tmp/a/b: the file system /tmp/a/b is mounted there");
    free(disk->volumes[--disk->volume_count].dir);
    close_disk(disk);
    expect_same("disk.raw", "before.raw");
}

/* The clock is in none of it. */
static void the_same_calls_give_the_same_bytes(void **state)
{
    (void)state;
    make_disk("one.raw", 24, KINDS[0], "root");
    RUN("cp", "one.raw", "two.raw");
    for (size_t i = 0; i < 2; i++) {
        struct disk *disk = open_disk(i ? "two.raw" : "one.raw", true);
        setenv("E2FSPROGS_FAKE_TIME", i ? "12345" : "54321", 1);
        take(disk, "/tmp");
        take(disk, "/many");
        close_disk(disk);
    }
    unsetenv("E2FSPROGS_FAKE_TIME");
    expect_same("one.raw", "two.raw");
    check_disk("one.raw");
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_of_it_goes),
        cmocka_unit_test(hard_links_are_counted),
        cmocka_unit_test(indexes_stay_valid),
        cmocka_unit_test(attributes_go),
        cmocka_unit_test(what_is_not_there_changes_nothing),
        cmocka_unit_test(the_same_calls_give_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, make_dirty_root, remove_folder);
}
