/* What files hold. */
#include "builder/image/ext4/content.h"
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/progress.h"

static void fill_refused(struct disk *disk, uint64_t said, const char *message)
{
    struct error err = ERROR_INIT;
    struct node node AUTO_NODE = {.fs = NULL};
    struct source source AUTO_SOURCE = {.fd = open("host-file", O_RDONLY | O_CLOEXEC),
                                        .size = said};
    assert_int_equal(ext4_begin(root_of(disk), &err), 0);
    assert_int_equal(node_create(root_of(disk), 2, LINUX_S_IFREG, &node, &err), 0);
    assert_int_equal(content_allocate(&node, said, &err), 0);
    assert_int_equal(content_fill(&node, &source, NULL, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
    assert_int_equal(content_discard(&node, &err), 0);
}

/* It is another file than the one that was planned for. */
static void files_that_change_are_refused(void **state)
{
    (void)state;
    make_disk("disk.raw", 8, "-t ext4", "root");
    write_file("host-file", "0123456789", 10);
    struct disk *disk = open_disk("disk.raw", true);
    uint64_t room = free_blocks(disk);
    fill_refused(disk, 9, "is longer than the 9 bytes");
    fill_refused(disk, 11, "became shorter while it was read");
    struct entry entry = {.path = "/etc/new", .type = ENTRY_FILE, .host = "/proc/self/status"};
    expect_refusal(disk, entry, "write /etc/new from /proc/self/status: is longer than the 0");
    expect_exists(disk, "/etc/new", 0);
    entry.path = "/etc/file";
    expect_refusal(disk, entry, "is longer than the 0 bytes");
    expect_text(disk, "/etc/file", "");
    assert_int_equal(free_blocks(disk), room + 1);
    close_disk(disk);
    check_disk("disk.raw");
}

static void progress_is_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_disk("disk.raw", 16, "-t ext4 -b 1024", "root");
    char *text AUTO_FREE = make_text("x", 9 * MIB + 1);
    write_file("host-file", text, 9 * MIB);
    struct disk *disk = open_disk("disk.raw", true);
    struct progress progress = progress_start(0, "put");
    struct entry entry = {.path = "/etc/host", .type = ENTRY_FILE, .host = "host-file"};
    assert_int_equal(ext4_put(disk, &entry, MTIME, &progress, &err), 0);
    assert_int_equal(progress.done, 9 * MIB);
    entry = (struct entry){.path = "/etc/host", .type = ENTRY_LINK, .target = "file"};
    assert_int_equal(ext4_put(disk, &entry, MTIME, &progress, &err), 0);
    entry = file_entry("/etc/host", "memory", 0644);
    assert_int_equal(ext4_put(disk, &entry, MTIME, &progress, &err), 0);
    assert_int_equal(progress.done, 9 * MIB + 6);
    close_disk(disk);
    check_disk("disk.raw");
}

/* Zeros are stored, so that a later write in the guest needs no room. */
static void zeros_are_no_holes(void **state)
{
    (void)state;
    make_disk("disk.raw", 16, "-t ext4", "root");
    RUN("truncate", "-s", "1M", "host-file");
    struct disk *disk = open_disk("disk.raw", true);
    put(disk, (struct entry){.path = "/etc/zeros", .type = ENTRY_FILE, .host = "host-file"});
    close_disk(disk);
    EXPECT("disk.raw", "?stat /etc/zeros", "Blockcount: 2048", "(0-255):");
    check_disk("disk.raw");
}

/* Holes and blocks that were allocated only. */
static void what_was_never_written_reads_as_zeros(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    RUN("cp", "-r", "root", "sparse");
    RUN("truncate", "-s", "60000", "sparse/hole");
    make_disk("disk.raw", 8, "-t ext4", "sparse");
    write_file("requests", "fallocate /etc/file 1 4\nsif /etc/file size 20000\n", 50);
    RUN("debugfs", "-w", "-f", "requests", "disk.raw" ROOT_AT);
    struct disk *disk = open_disk("disk.raw", true);
    assert_int_equal(ext4_read(disk, "/hole", 60000, &out, &err), 0);
    assert_int_equal(ext4_read(disk, "/etc/file", 20000, &out, &err), 0);
    assert_int_equal(out.len, 80000);
    assert_memory_equal(out.data + 60000, "old", 3);
    memset(out.data + 60000, 0, 3);
    for (size_t i = 0; i < out.len; i++)
        assert_int_equal(out.data[i], 0);
    /* They are not written in place: the map has to change. */
    put_size(disk, "/etc/file", 20000, 0644);
    put_size(disk, "/hole", 60000, 0644);
    close_disk(disk);
    check_disk("disk.raw");
    EXPECT("disk.raw", "?stat /etc/file", "!u)", "?stat /hole", "(0-14):");
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_change_are_refused),
        cmocka_unit_test(progress_is_told),
        cmocka_unit_test(zeros_are_no_holes),
        cmocka_unit_test(what_was_never_written_reads_as_zeros),
    };
    return cmocka_run_group_tests(tests, make_root, remove_folder);
}
