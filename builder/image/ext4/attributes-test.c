/* Extended attributes: in the inode, in a block, in one that inodes share. */
#include "builder/image/ext4/attributes.h"
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/progress.h"

static void put_attribute(struct disk *disk, struct entry entry, const char *name, size_t size)
{
    char *value AUTO_FREE = make_text("value", size);
    struct xattr xattr = {(char *)name, value, size};
    entry.xattrs = &xattr;
    entry.xattr_count = 1;
    put(disk, entry);
}

static void directories_keep_theirs(void **state)
{
    (void)state;
    struct entry directory = {.path = "/srv", .type = ENTRY_DIR, .mode = 0755};
    make_disk("disk.raw", 8, "-t ext4", "root");
    struct disk *disk = open_disk("disk.raw", true);
    put_attribute(disk, directory, "user.one", 10);
    put_attribute(disk, directory, "user.two", 500);
    put_attribute(disk, directory, "user.one", 12);
    close_disk(disk);
    check_disk("disk.raw");
    EXPECT("disk.raw", "?ea_list /srv", "user.one (12)", "user.two (500)");
}

static void files_lose_theirs(void **state)
{
    (void)state;
    make_disk("disk.raw", 8, "-t ext4", "root");
    struct disk *disk = open_disk("disk.raw", true);
    uint64_t room = free_blocks(disk);
    put_attribute(disk, file_entry("/etc/file", "a", 0644), "user.one", 10);
    assert_int_equal(free_blocks(disk), room);
    put_attribute(disk, file_entry("/etc/file", "b", 0644), "trusted.two", 1000);
    assert_int_equal(free_blocks(disk), room - 1);
    close_disk(disk);
    check_disk("disk.raw");
    EXPECT("disk.raw", "?ea_list /etc/file", "!user.one", "trusted.two (1000)");
    disk = open_disk("disk.raw", true);
    put_text(disk, "/etc/file", "c", 0644);
    assert_int_equal(free_blocks(disk), room);
    close_disk(disk);
    check_disk("disk.raw");
    EXPECT("disk.raw", "?ea_list /etc/file", "!trusted.two");
}

/* What the kernel takes from setxattr: it stores access lists in another form. */
static void access_lists_are_converted(void **state)
{
    (void)state;
    static const unsigned char list[] = {
        2, 0,    0,    0,    1,    0,    7,    0, 0xff, 0xff, 0xff, 0xff, 2,    0,    5,
        0, 0xe8, 3,    0,    0,    4,    0,    5, 0,    0xff, 0xff, 0xff, 0xff, 0x10, 0,
        5, 0,    0xff, 0xff, 0xff, 0xff, 0x20, 0, 5,    0,    0xff, 0xff, 0xff, 0xff};
    struct xattr xattr = {"system.posix_acl_access", (char *)list, sizeof list};
    struct entry entry = file_entry("/etc/file", "a", 0755);
    entry.xattrs = &xattr;
    entry.xattr_count = 1;
    make_disk("disk.raw", 8, "-t ext4", "root");
    struct disk *disk = open_disk("disk.raw", true);
    put(disk, entry);
    close_disk(disk);
    check_disk("disk.raw");
    EXPECT("disk.raw", "?ea_list /etc/file", "system.posix_acl_access (28)",
           "01 00 00 00 01 00 07 00 02 00 05 00 e8 03");
}

static void too_large_ones_are_refused(void **state)
{
    (void)state;
    make_disk("disk.raw", 8, "-t ext4", "root");
    struct disk *disk = open_disk("disk.raw", true);
    uint64_t room = free_blocks(disk);
    char *value AUTO_FREE = make_text("value", 5000);
    struct xattr xattrs[] = {{"user.one", value, 500}, {"user.two", value, 4000}};
    struct entry entry = file_entry("/etc/new", "a", 0644);
    entry.xattrs = xattrs;
    entry.xattr_count = 2;
    expect_refusal(disk, entry, "write /etc/new: set extended attributes: ");
    expect_exists(disk, "/etc/new", 0);
    assert_int_equal(free_blocks(disk), room);
    close_disk(disk);
    check_disk("disk.raw");
}

static void read_node(struct disk *disk, const char *path, struct node *out)
{
    struct error err = ERROR_INIT;
    struct place place = {.ino = 0};
    assert_int_equal(ext4_find(disk, path, false, &place, &err), 1);
    assert_int_equal(node_read(root_of(disk), place.ino, out, &err), 0);
}

/* The kernel lets files with the same attributes share a block. */
static void shared_blocks_stay(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct node one AUTO_NODE = {.fs = NULL}, two AUTO_NODE = {.fs = NULL};
    make_disk("disk.raw", 8, "-t ext4 -I 128 -O ^metadata_csum", "root");
    struct disk *disk = open_disk("disk.raw", true);
    put_attribute(disk, file_entry("/etc/one", "a", 0600), "user.shared", 10);
    put_text(disk, "/etc/two", "b", 0600);
    read_node(disk, "/etc/one", &one);
    read_node(disk, "/etc/two", &two);
    two.raw->i_file_acl = one.raw->i_file_acl;
    two.raw->i_blocks += root_of(disk)->blocksize / 512;
    assert_int_equal(node_write(&two, &err), 0);
    assert_int_equal(
        ext2fs_adjust_ea_refcount3(root_of(disk), one.raw->i_file_acl, NULL, 1, NULL, one.ino), 0);
    close_disk(disk);
    check_disk("disk.raw");
    disk = open_disk("disk.raw", true);
    put_text(disk, "/etc/one", "other", 0600);
    close_disk(disk);
    check_disk("disk.raw");
    EXPECT("disk.raw", "?ea_list /etc/one", "!user.shared", "?ea_get /etc/two user.shared",
           "valuevalue");
    disk = open_disk("disk.raw", true);
    put_text(disk, "/etc/two", "other", 0600);
    close_disk(disk);
    check_disk("disk.raw");
    assert_false(disk_holds("disk.raw", "valuevalue"));
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_keep_theirs),    cmocka_unit_test(files_lose_theirs),
        cmocka_unit_test(access_lists_are_converted), cmocka_unit_test(too_large_ones_are_refused),
        cmocka_unit_test(shared_blocks_stay),
    };
    return cmocka_run_group_tests(tests, make_root, remove_folder);
}
