/* Blocks in many pieces, and to the last one. */
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/progress.h"

enum { SMALL_FILES = 600 };

static void small_path(char *path, size_t size, unsigned i)
{
    snprintf(path, size, "/srv/small-%03u", i);
}

/* Every second block free: the file takes many extents, or one where there is a hole for it. */
static void pieces_are_used(void **state)
{
    (void)state;
    char path[32];
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        make_disk("disk.raw", 10, KINDS[i], "root");
        struct disk *disk = open_disk("disk.raw", true);
        unsigned block = root_of(disk)->blocksize;
        for (unsigned j = 0; j < SMALL_FILES; j++) {
            small_path(path, sizeof path, j);
            put_size(disk, path, block, 0644);
        }
        uint64_t left = free_blocks(disk) - 80;
        put_size(disk, "/srv/fill", left * block, 0644);
        for (unsigned j = 0; j < SMALL_FILES; j += 2) {
            small_path(path, sizeof path, j);
            put_text(disk, path, "", 0644);
        }
        uint64_t blocks = free_blocks(disk) - 30;
        assert_true(blocks > SMALL_FILES / 3);
        size_t size = blocks * block - 3;
        char *text AUTO_FREE = make_text("in many pieces\n", size);
        put_text(disk, "/srv/pieces", text, 0600);
        expect_text(disk, "/srv/pieces", text);
        close_disk(disk);
        check_disk("disk.raw");
        disk = open_disk("disk.raw", true);
        uint64_t before = free_blocks(disk);
        put_text(disk, "/srv/pieces", "", 0644);
        assert_true(free_blocks(disk) >= before + blocks);
        close_disk(disk);
        check_disk("disk.raw");
        assert_false(disk_holds("disk.raw", "in many pieces"));
    }
}

static bool try_put(struct disk *disk, const char *path, size_t size)
{
    struct error err = ERROR_INIT;
    char *text AUTO_FREE = make_text("fill\n", size);
    struct entry entry = file_entry(path, text, 0600);
    if (ext4_put(disk, &entry, MTIME, NULL, &err) == 0)
        return true;
    if (!strstr(err.text, path) || !strstr(err.text, "no room"))
        fail_msg("%s", err.text);
    return false;
}

/* To the last block, and back. */
static void full_file_systems_stay_whole(void **state)
{
    (void)state;
    char path[64];
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        make_disk("disk.raw", 8, KINDS[i], "root");
        struct disk *disk = open_disk("disk.raw", true);
        uint64_t before = free_blocks(disk);
        unsigned made = 0;
        for (size_t size = 4 * MIB; size; size = size > 512 ? size / 2 : size - 256) {
            snprintf(path, sizeof path, "/srv/with-a-long-name-so-that-directories-grow-%03u",
                     made);
            while (try_put(disk, path, size))
                snprintf(path, sizeof path, "/srv/with-a-long-name-so-that-directories-grow-%03u",
                         ++made);
        }
        assert_true(free_blocks(disk) < 10);
        assert_false(try_put(disk, "/srv/one-more", MIB));
        /* What cannot be stored leaves the old content. */
        assert_false(try_put(disk, "/etc/file", 4 * MIB));
        expect_text(disk, "/etc/file", "old");
        close_disk(disk);
        check_disk("disk.raw");
        disk = open_disk("disk.raw", true);
        for (unsigned j = 0; j < made; j++) {
            snprintf(path, sizeof path, "/srv/with-a-long-name-so-that-directories-grow-%03u", j);
            put_text(disk, path, "", 0644);
        }
        assert_true(free_blocks(disk) >= before - 40);
        close_disk(disk);
        check_disk("disk.raw");
        assert_false(disk_holds("disk.raw", "fill\nfill"));
    }
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_used),
        cmocka_unit_test(full_file_systems_stay_whole),
    };
    return cmocka_run_group_tests(tests, make_root, remove_folder);
}
