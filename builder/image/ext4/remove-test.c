/* Blocks that are given back: what was secret in them is gone. */
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/progress.h"

static void put_secrets(struct disk *disk)
{
    static const char *const names[] = {"long", "short", "same", "link", "hard", "tiny"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path AUTO_FREE = heap_printf("/srv/%s", names[i]);
        char *text AUTO_FREE = make_text("VERY-SECRET\n", i == 5 ? 100 : 300000);
        char *value AUTO_FREE = make_text("HIDDEN-VALUE\n", 700);
        struct xattr xattr = {"user.secret", value, 700};
        struct entry entry = file_entry(path, text, 0600);
        entry.xattrs = &xattr;
        entry.xattr_count = 1;
        put(disk, entry);
    }
}

/* 0600 files leave nothing behind, whatever replaces them. */
static void secrets_are_zeroed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        print_message("# %s\n", KINDS[i]);
        make_disk("disk.raw", 10, KINDS[i], "root");
        struct disk *disk = open_disk("disk.raw", true);
        uint64_t room = free_blocks(disk);
        put_secrets(disk);
        close_disk(disk);
        check_disk("disk.raw");
        assert_true(disk_holds("disk.raw", "VERY-SECRET"));
        assert_true(disk_holds("disk.raw", "HIDDEN-VALUE"));
        disk = open_disk("disk.raw", true);
        put_size(disk, "/srv/long", 400000, 0644);
        put_size(disk, "/srv/short", 200000, 0644);
        put_size(disk, "/srv/same", 299999, 0644);
        put(disk, (struct entry){.path = "/srv/link", .type = ENTRY_LINK, .target = "x"});
        put(disk,
            (struct entry){.path = "/srv/hard", .type = ENTRY_HARDLINK, .target = "/etc/file"});
        put_text(disk, "/srv/tiny", "", 0644);
        close_disk(disk);
        check_disk("disk.raw");
        assert_false(disk_holds("disk.raw", "SECRET"));
        assert_false(disk_holds("disk.raw", "HIDDEN"));
        disk = open_disk("disk.raw", true);
        put_text(disk, "/srv/long", "", 0644);
        put_text(disk, "/srv/short", "", 0644);
        put_text(disk, "/srv/same", "", 0644);
        /* One block may have gone to the directory. */
        assert_in_range(free_blocks(disk), room - 1, room);
        close_disk(disk);
    }
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_zeroed),
    };
    return cmocka_run_group_tests(tests, make_root, remove_folder);
}
