/* Blocks in many pieces, and to the last one. */
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/image/ext4/map.h"
#include "builder/progress.h"

enum { SMALL_FILES = 600 };

static void small_path(char *path, size_t size, unsigned i)
{
    snprintf(path, size, "/srv/small-%03u", i);
}

static void make_files(struct disk *disk)
{
    char path[32];
    for (unsigned i = 0; i < SMALL_FILES; i++) {
        small_path(path, sizeof path, i);
        put_size(disk, path, root_of(disk)->blocksize, 0644);
    }
}

/* Every second block free. */
static void make_holes(struct disk *disk)
{
    char path[32];
    for (unsigned i = 0; i < SMALL_FILES; i += 2) {
        small_path(path, sizeof path, i);
        put_text(disk, path, "", 0644);
    }
}

static size_t count_pieces(struct disk *disk, const char *path)
{
    struct error err = ERROR_INIT;
    struct place place = {.ino = 0};
    struct node node AUTO_NODE = {.fs = NULL};
    struct map map AUTO_MAP = {.data = {.count = 0}};
    assert_int_equal(ext4_find(disk, path, false, &place, &err), 1);
    assert_int_equal(node_read(root_of(disk), place.ino, &node, &err), 0);
    assert_int_equal(map_read(&node, &map, &err), 0);
    return map.data.count;
}

static void whole_extents_are_preferred(void **state)
{
    (void)state;
    make_disk("disk.raw", 10, "-t ext4 -b 1024", "root");
    struct disk *disk = open_disk("disk.raw", true);
    make_files(disk);
    make_holes(disk);
    put_size(disk, "/srv/whole", 500 * 1024, 0644);
    assert_int_equal(count_pieces(disk, "/srv/whole"), 1);
    put_size(disk, "/srv/small-001", 100, 0644);
    close_disk(disk);
    check_disk("disk.raw");
}

static void pieces_are_used(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        make_disk("disk.raw", 10, KINDS[i], "root");
        struct disk *disk = open_disk("disk.raw", true);
        make_files(disk);
        unsigned block = root_of(disk)->blocksize;
        put_size(disk, "/srv/fill", (free_blocks(disk) - 80) * block, 0644);
        make_holes(disk);
        uint64_t blocks = free_blocks(disk) - 30;
        char *text AUTO_FREE = make_text("in many pieces\n", blocks * block - 3);
        put_text(disk, "/srv/pieces", text, 0600);
        expect_text(disk, "/srv/pieces", text);
        assert_true(count_pieces(disk, "/srv/pieces") > SMALL_FILES / 3);
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
        cmocka_unit_test(whole_extents_are_preferred),
        cmocka_unit_test(pieces_are_used),
        cmocka_unit_test(full_file_systems_stay_whole),
    };
    return cmocka_run_group_tests(tests, make_root, remove_folder);
}
