/* The content of files: where it is stored, what stays of old content, and that the outcome hangs
 * on nothing but the calls. */
#include <time.h>

#include "builder/image/ext4/content.h"
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/progress.h"

enum { SMALL_FILES = 600 };

static const char *const KINDS[] = {
    "-t ext4 -b 4096",        "-t ext4 -b 1024",        "-t ext4 -b 1024 -O ^extents,^64bit",
    "-t ext2 -b 4096 -I 128", "-t ext4 -O inline_data",
};

static int make_root(void **state)
{
    if (enter_folder(state) < 0)
        return -1;
    RUN("mkdir", "-p", "root/etc", "root/srv");
    write_file("root/etc/file", "old", 3);
    return 0;
}

/* Lines that are found wherever a piece of them stays. The caller frees the text. */
static char *make_text(const char *word, size_t size)
{
    char *text = heap_array(size + 1, 1);
    for (size_t i = 0; i < size; i++)
        text[i] = word[i % strlen(word)];
    return text;
}

static void put_size(struct disk *disk, const char *path, size_t size, mode_t mode)
{
    char *text AUTO_FREE = make_text("0123456789abcdef\n", size);
    put_text(disk, path, text, mode);
}

static ext2_filsys root_of(struct disk *disk)
{
    return disk->volumes[0].fs;
}

static uint64_t free_blocks(struct disk *disk)
{
    return ext2fs_free_blocks_count(root_of(disk)->super);
}

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
        make_disk("disk.raw", 24, KINDS[i], "root");
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

static void put_some(struct disk *disk)
{
    put_size(disk, "/a/b/c", 100000, 0644);
    put_size(disk, "/etc/file", 5000, 0600);
    put_size(disk, "/etc/other", 50, 0600);
    put(disk, (struct entry){.path = "/a/link", .type = ENTRY_LINK, .target = "b"});
    put(disk, (struct entry){.path = "/a/hard", .type = ENTRY_HARDLINK, .target = "/a/b/c"});
    put_size(disk, "/a/b/c", 70000, 0644);
}

static void expect_no_time(const char *path, time_t from, time_t to)
{
    size_t n;
    char *bytes AUTO_FREE = read_disk(path, &n);
    for (size_t i = 0; i < n; i += 4) {
        uint32_t word;
        memcpy(&word, bytes + i, sizeof word);
        if (word >= from && word <= to)
            fail_msg("the time %u at %zu", word, i);
    }
}

/* The clock, the time zone, the umask and what ran before are not in the image. */
static void outcome_hangs_on_calls_only(void **state)
{
    (void)state;
    time_t start = time(NULL);
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        make_disk("one.raw", 16, KINDS[i], "root");
        RUN("cp", "one.raw", "two.raw");
        struct disk *disk = open_disk("one.raw", true);
        put_some(disk);
        close_disk(disk);
        setenv("TZ", "Asia/Kathmandu", 1);
        setenv("E2FSPROGS_FAKE_TIME", "12345", 1);
        mode_t mask = umask(077);
        disk = open_disk("two.raw", true);
        put_some(disk);
        assert_int_equal(root_of(disk)->now, NOW);
        close_disk(disk);
        umask(mask);
        unsetenv("TZ");
        unsetenv("E2FSPROGS_FAKE_TIME");
        expect_same("one.raw", "two.raw");
        check_disk("one.raw");
        expect_no_time("one.raw", start, time(NULL));
        disk = open_disk("one.raw", false);
        assert_int_equal(root_of(disk)->super->s_wtime, NOW);
        close_disk(disk);
        expect_same("one.raw", "two.raw");
    }
}

/* What is put a second time with as many blocks gives the bytes of a put into the base. */
static void rewriting_gives_the_same_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        make_disk("one.raw", 16, KINDS[i], "root");
        RUN("cp", "one.raw", "two.raw");
        struct disk *disk = open_disk("one.raw", true);
        put_size(disk, "/srv/big", 99000, 0600);
        put_text(disk, "/srv/key", "the first key, which was longer", 0600);
        put_text(disk, "/etc/file", "one", 0600);
        put(disk, (struct entry){.path = "/srv/link", .type = ENTRY_LINK, .target = "first"});
        close_disk(disk);
        for (size_t round = 0; round < 2; round++) {
            disk = open_disk(round ? "two.raw" : "one.raw", true);
            put_size(disk, "/srv/big", 98900, 0640);
            put_text(disk, "/srv/key", "the second key", 0644);
            put_text(disk, "/etc/file", "two", 0600);
            put(disk, (struct entry){.path = "/srv/link", .type = ENTRY_LINK, .target = "2nd"});
            close_disk(disk);
        }
        expect_same("one.raw", "two.raw");
        check_disk("one.raw");
    }
}

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
        make_disk("disk.raw", 16, KINDS[i], "root");
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

static void inodes_run_out(void **state)
{
    (void)state;
    char path[32];
    make_disk("disk.raw", 8, "-t ext4 -N 32", "root");
    struct disk *disk = open_disk("disk.raw", true);
    unsigned all = root_of(disk)->super->s_inodes_count;
    unsigned left = root_of(disk)->super->s_free_inodes_count;
    for (unsigned i = 0; i < left; i++) {
        small_path(path, sizeof path, i);
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
                   "mtime: 0x80000000:00000000");
    }
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
        cmocka_unit_test(secrets_are_zeroed),
        cmocka_unit_test(outcome_hangs_on_calls_only),
        cmocka_unit_test(rewriting_gives_the_same_bytes),
        cmocka_unit_test(pieces_are_used),
        cmocka_unit_test(full_file_systems_stay_whole),
        cmocka_unit_test(inodes_run_out),
        cmocka_unit_test(files_that_change_are_refused),
        cmocka_unit_test(zeros_are_no_holes),
        cmocka_unit_test(times_have_more_than_32_bits),
        cmocka_unit_test(what_was_never_written_reads_as_zeros),
    };
    return cmocka_run_group_tests(tests, make_root, remove_folder);
}
