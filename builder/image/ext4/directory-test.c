/* Directories that grow: indexed, linear, inside of their inode. */
#include "builder/image/ext4/directory.h"
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/progress.h"

enum { SEEDS = 300, NAMES = 20000, FEW_NAMES = 1500 };

static int make_own_root(void **state)
{
    char path[64];
    if (enter_folder(state) < 0)
        return -1;
    RUN("mkdir", "-p", "root/many", "root/few", "root/etc");
    for (int i = 0; i < SEEDS; i++) {
        snprintf(path, sizeof path, "root/many/a-name-that-was-there-%d", i);
        write_file(path, "", 0);
    }
    return 0;
}

static ext2_ino_t find(struct disk *disk, const char *path)
{
    struct error err = ERROR_INIT;
    struct place place = {.ino = 0};
    if (ext4_find(disk, path, true, &place, &err) <= 0)
        fail_msg("%s: %s", path, err.text);
    return place.ino;
}

/* Gives one file many names, as fast as can be: no look whether they are there. */
static void add_names(struct disk *disk, ext2_ino_t directory, ext2_ino_t file, unsigned n)
{
    struct error err = ERROR_INIT;
    struct node node AUTO_NODE = {.fs = NULL};
    char name[64];
    ext2_filsys fs = disk->volumes[0].fs;
    assert_int_equal(ext4_begin(fs, &err), 0);
    assert_int_equal(node_read(fs, file, &node, &err), 0);
    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%u-with-a-rather-long-name", i * 7919);
        if (directory_add(fs, directory, name, &node, MTIME, &err) < 0)
            fail_msg("%s: %s", name, err.text);
    }
    node.raw->i_links_count = (__u16)(node.raw->i_links_count + n);
    assert_int_equal(node_write(&node, &err), 0);
}

/* Names in the order of list. */
static size_t count_names(struct disk *disk, const char *path)
{
    struct error err = ERROR_INIT;
    struct buffer names AUTO_BUFFER = buffer_heap();
    size_t n = 0;
    assert_int_equal(ext4_list(disk, path, &names, &err), 0);
    const char *last = "";
    for (const char *name = names.data; name < names.data + names.len; name += strlen(name) + 1) {
        assert_true(strcmp(last, name) < 0);
        last = name;
        n++;
    }
    return n;
}

static void fill_directory(const char *options, const char *flags, unsigned n)
{
    print_message("# %s\n", options);
    make_disk("disk.raw", 32, options, "root");
    /* Only e2fsck makes an index outside of a kernel: 1 says that it did. */
    int status;
    struct error err = ERROR_INIT;
    const char *const argv[] = {"e2fsck", "-fyD", "disk.raw" ROOT_AT, NULL};
    assert_int_equal(process_run(&(struct process){.argv = argv}, &status, &err), 0);
    assert_in_range(status, 0, 1);
    struct disk *disk = open_disk("disk.raw", true);
    put_text(disk, "/etc/file", "x", 0644);
    add_names(disk, find(disk, "/many"), find(disk, "/etc/file"), n);
    put_text(disk, "/many/last", "found", 0644);
    put_text(disk, "/many/7919-with-a-rather-long-name", "apart", 0644);
    put_text(disk, "/many/deeper/last", "too", 0600);
    close_disk(disk);
    check_disk("disk.raw");
    disk = open_disk("disk.raw", false);
    assert_int_equal(count_names(disk, "/many"), SEEDS + n + 2);
    expect_text(disk, "/many/last", "found");
    expect_text(disk, "/many/7919-with-a-rather-long-name", "apart");
    expect_text(disk, "/many/15838-with-a-rather-long-name", "x");
    expect_text(disk, "/many/deeper/last", "too");
    close_disk(disk);
    EXPECT("disk.raw", "?stat /many", flags, "Links: 3", "mtime: 0x5e0be100");
}

static void indexes_stay_valid(void **state)
{
    (void)state;
    fill_directory("-t ext4 -b 1024 -N 2048", "Flags: 0x81000", NAMES);
    fill_directory("-t ext4 -b 4096 -N 2048", "Flags: 0x81000", NAMES);
    fill_directory("-t ext3 -b 1024 -N 2048", "Flags: 0x1000", FEW_NAMES);
}

static void directories_without_index_grow(void **state)
{
    (void)state;
    fill_directory("-t ext4 -b 1024 -N 2048 -O ^dir_index", "Flags: 0x80000", FEW_NAMES);
    fill_directory("-t ext2 -b 1024 -N 2048 -O ^dir_index", "Flags: 0x0", FEW_NAMES);
}

/* From inside of the inode to a block. */
static void inline_directories_grow(void **state)
{
    (void)state;
    char path[64];
    make_disk("disk.raw", 16, "-t ext4 -O inline_data", "root");
    EXPECT("disk.raw", "?stat /few", "Flags: 0x10000000");
    struct disk *disk = open_disk("disk.raw", true);
    put_text(disk, "/few/a", "1", 0644);
    put_text(disk, "/few/b", "2", 0644);
    put(disk, (struct entry){.path = "/few/a", .type = ENTRY_LINK, .target = "b"});
    expect_text(disk, "/few/a", "2");
    close_disk(disk);
    check_disk("disk.raw");
    EXPECT("disk.raw", "?stat /few", "Flags: 0x10000000", "Links: 2");
    disk = open_disk("disk.raw", true);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "/few/name-%u", i);
        put_text(disk, path, "x", 0644);
    }
    assert_int_equal(count_names(disk, "/few"), 102);
    close_disk(disk);
    check_disk("disk.raw");
    EXPECT("disk.raw", "?stat /few", "Flags: 0x80000", "Size: 4096");
}

static void set_links(struct disk *disk, ext2_ino_t ino, unsigned links)
{
    struct error err = ERROR_INIT;
    struct node node AUTO_NODE = {.fs = NULL};
    assert_int_equal(node_read(disk->volumes[0].fs, ino, &node, &err), 0);
    node.raw->i_links_count = (__u16)links;
    assert_int_equal(node_write(&node, &err), 0);
}

static unsigned links_of(struct disk *disk, const char *path)
{
    struct ext2_inode inode;
    assert_int_equal(ext2fs_read_inode(disk->volumes[0].fs, find(disk, path), &inode), 0);
    return inode.i_links_count;
}

/* 65000 is the most that is counted; 1 then stands for more. */
static void links_are_counted(void **state)
{
    (void)state;
    make_disk("disk.raw", 8, "-t ext4", "root");
    struct disk *disk = open_disk("disk.raw", true);
    struct entry directory = {.path = "/few/a", .type = ENTRY_DIR, .mode = 0755};
    put(disk, directory);
    assert_int_equal(links_of(disk, "/few"), 3);
    set_links(disk, find(disk, "/few"), 65000);
    directory.path = "/few/b";
    put(disk, directory);
    assert_int_equal(links_of(disk, "/few"), 1);
    directory.path = "/few/c";
    put(disk, directory);
    assert_int_equal(links_of(disk, "/few"), 1);
    set_links(disk, find(disk, "/few"), 5);
    put_text(disk, "/etc/file", "x", 0644);
    set_links(disk, find(disk, "/etc/file"), 65000);
    struct entry hard = {.path = "/etc/hard", .type = ENTRY_HARDLINK, .target = "/etc/file"};
    expect_refusal(disk, hard, "/etc/file has 65000 names, more cannot be counted");
    set_links(disk, find(disk, "/etc/file"), 1);
    close_disk(disk);
    check_disk("disk.raw");
    make_disk("disk.raw", 8, "-t ext3", "root");
    disk = open_disk("disk.raw", true);
    set_links(disk, find(disk, "/few"), 65000);
    expect_refusal(disk, directory, "make directory /few/c: its parent holds 64998 directories");
    set_links(disk, find(disk, "/few"), 2);
    close_disk(disk);
    check_disk("disk.raw");
}

static void names_have_a_bound(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char name[258] = "/";
    memset(name + 1, 'n', 256);
    make_disk("disk.raw", 8, "-t ext4", "root");
    struct disk *disk = open_disk("disk.raw", true);
    expect_refusal(disk, file_entry(name, "x", 0644), "longer than the 255 bytes");
    assert_int_equal(ext4_exists(disk, name, &err), -1);
    name[256] = '\0';
    put_text(disk, name, "x", 0644);
    expect_text(disk, name, "x");
    close_disk(disk);
    check_disk("disk.raw");
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indexes_stay_valid),      cmocka_unit_test(directories_without_index_grow),
        cmocka_unit_test(inline_directories_grow), cmocka_unit_test(links_are_counted),
        cmocka_unit_test(names_have_a_bound),
    };
    return cmocka_run_group_tests(tests, make_own_root, remove_folder);
}
