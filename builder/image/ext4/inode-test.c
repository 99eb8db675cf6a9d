/* Inodes: how many there are, and what they say of times. */
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/progress.h"

static void inodes_run_out(void **state)
{
    (void)state;
    char path[32];
    make_disk("disk.raw", 8, "-t ext4 -N 32", "root");
    struct disk *disk = open_disk("disk.raw", true);
    unsigned all = root_of(disk)->super->s_inodes_count;
    unsigned left = root_of(disk)->super->s_free_inodes_count;
    for (unsigned i = 0; i < left; i++) {
        snprintf(path, sizeof path, "/srv/small-%u", i);
        put_text(disk, path, "x", 0644);
    }
    uint64_t room = free_blocks(disk);
    char *message AUTO_FREE = heap_printf("write /srv/more: all %u inodes", all);
    expect_refusal(disk, file_entry("/srv/more", "x", 0644), message);
    struct entry directory = {.path = "/srv/directory", .type = ENTRY_DIR, .mode = 0755};
    expect_refusal(disk, directory, "make directory /srv/directory: all ");
    put_text(disk, path, "another", 0644);
    assert_int_equal(free_blocks(disk), room);
    close_disk(disk);
    check_disk("disk.raw");
}

static void put_at(struct disk *disk, const char *path, time_t mtime)
{
    struct error err = ERROR_INIT;
    struct entry entry = file_entry(path, "x", 0644);
    assert_int_equal(ext4_put(disk, &entry, mtime, NULL, &err), 0);
}

static void times_have_more_than_32_bits(void **state)
{
    (void)state;
    for (unsigned small = 0; small < 2; small++) {
        make_disk("disk.raw", 8, small ? "-t ext4 -I 128" : "-t ext4", "root");
        struct disk *disk = open_disk("disk.raw", true);
        put_at(disk, "/srv/1969", -1);
        put_at(disk, "/srv/2038", 2147483648);
        put_at(disk, "/srv/2106", 4294967296);
        put_at(disk, "/srv/9999", 253402300799);
        put_at(disk, "/srv/1000", -30610224000);
        close_disk(disk);
        check_disk("disk.raw");
        if (small)
            EXPECT("disk.raw", "?stat /srv/1969", "mtime: 0xffffffff", "?stat /srv/2038",
                   "mtime: 0x7fffffff", "?stat /srv/1000", "mtime: 0x80000000");
        else
            EXPECT("disk.raw", "?stat /srv/1969", "mtime: 0xffffffff:00000000", "?stat /srv/2038",
                   "mtime: 0x80000000:00000001", "?stat /srv/2106", "mtime: 0x00000000:00000001",
                   "?stat /srv/9999", "mtime: 0x7fffffff:00000003", "?stat /srv/1000",
                   "mtime: 0x80000000:00000000", "Size of extra inode fields: 32");
    }
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inodes_run_out),
        cmocka_unit_test(times_have_more_than_32_bits),
    };
    return cmocka_run_group_tests(tests, make_root, remove_folder);
}
