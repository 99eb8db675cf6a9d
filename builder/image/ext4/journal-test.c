/* File systems that were not unmounted, made by debugfs; e2fsck says what recovery leaves. */
#include "builder/image/ext4/ext4-fixture.h"

enum { SIZE = 64 * 1024, BLOCKS = 7 };

/* Blocks of /etc/large, by what becomes of them. */
enum { NEW, ESCAPED, REVOKED, TWICE, ANEW, LOST, OTHER };

static int make_large_root(void **state)
{
    if (make_root(state) < 0)
        return -1;
    char *text AUTO_FREE = make_text("old text\n", SIZE);
    write_file("root/etc/large", text, SIZE);
    return 0;
}

static void answers(const char *path, const char *request, struct buffer *out)
{
    char *device AUTO_FREE = heap_printf("%s" ROOT_AT, path);
    run((const char *const[]){"debugfs", "-R", request, device, NULL}, out);
}

static void find_blocks(const char *path, unsigned long block[BLOCKS])
{
    for (int i = 0; i < BLOCKS; i++) {
        struct buffer out AUTO_BUFFER = buffer_heap();
        char *request AUTO_FREE = heap_printf("bmap /etc/large %d", i);
        answers(path, request, &out);
        block[i] = strtoul(out.data, NULL, 10);
        assert_int_not_equal(block[i], 0);
    }
}

/* A file for a block of that size. */
static void make_content(const char *name, const char *word, bool magic, size_t size)
{
    char *text AUTO_FREE = make_text(word, size);
    if (magic)
        memcpy(text, "\xc0\x3b\x39\x98", 4);
    write_file(name, text, size);
}

/* Transactions that were committed, and one that was not. */
static void leave_journal(const char *path, const char *open, size_t size)
{
    unsigned long b[BLOCKS];
    struct buffer commands AUTO_BUFFER = buffer_heap();
    char *device AUTO_FREE = heap_printf("%s" ROOT_AT, path);
    find_blocks(path, b);
    make_content("one", "one ", false, size);
    make_content("two", "two ", false, size);
    make_content("magic", "magic ", true, size);
    buffer_printf(&commands, "%s\n", open);
    buffer_printf(&commands, "jw -b %lu one\njw -b %lu magic\n", b[NEW], b[ESCAPED]);
    buffer_printf(&commands, "jw -b %lu one\njw -r %lu\n", b[REVOKED], b[REVOKED]);
    buffer_printf(&commands, "jw -b %lu one\njw -b %lu two\n", b[TWICE], b[TWICE]);
    buffer_printf(&commands, "jw -b %lu one\njw -r %lu\njw -b %lu two\n", b[ANEW], b[ANEW],
                  b[ANEW]);
    buffer_printf(&commands, "jw -c -b %lu one\njc\n", b[LOST]);
    write_file("commands", commands.data, commands.len);
    run((const char *const[]){"debugfs", "-w", "-f", "commands", device, NULL}, NULL);
}

static ext2_filsys view(struct blocks *blocks, struct buffer *remarks)
{
    struct error err = ERROR_INIT;
    ext2_filsys fs = NULL;
    struct partition partition = {.number = 1, .start = ROOT_START, .fs = "ext4"};
    partition.size = blocks_size(blocks) - 2 * MIB;
    if (ext4_view_volume(blocks, &partition, "/", remarks, &fs, &err) < 1)
        fail_msg("%s", err.text);
    return fs;
}

/* What the view shows of /etc/large. */
static void read_view(const char *path, struct buffer *out, struct buffer *remarks)
{
    struct error err = ERROR_INIT;
    struct disk_file file = {.path = path};
    struct disk disk = {.volume_count = 1};
    if (blocks_open(&file, false, &disk.blocks, &err) < 0)
        fail_msg("%s", err.text);
    disk.volumes[0] = (struct volume){.dir = (char *)"/", .fs = view(disk.blocks, remarks)};
    if (ext4_read(&disk, "/etc/large", MIB, out, &err) < 0 ||
        ext4_fs_close(disk.volumes[0].fs, &err) < 0 || blocks_close(disk.blocks, &err) < 0)
        fail_msg("%s", err.text);
}

/* What recovery leaves of /etc/large. e2fsck cannot recover at an offset. */
static void read_recovered(const char *path, struct buffer *out)
{
    int status = -1;
    struct error err = ERROR_INIT;
    char *from AUTO_FREE = heap_printf("if=%s", path);
    RUN("dd", from, "of=part.raw", "bs=1M", "skip=1", "status=none");
    struct process p = {
        .argv = (const char *const[]){"e2fsck", "-fy", "-E", "journal_only", "part.raw", NULL}};
    if (process_run(&p, &status, &err) < 0 || status > 1)
        fail_msg("e2fsck: %d %s", status, err.text);
    run((const char *const[]){"debugfs", "-R", "cat /etc/large", "part.raw", NULL}, out);
}

static void expect_block(const struct buffer *text, size_t size, int block, const char *begin)
{
    if (memcmp(text->data + (size_t)block * size, begin, strlen(begin)) != 0)
        fail_msg("block %d begins with '%.8s'", block, text->data + (size_t)block * size);
}

static void expect_view(const char *path, size_t size, bool whole)
{
    struct buffer shown AUTO_BUFFER = buffer_heap(), remarks AUTO_BUFFER = buffer_heap();
    struct buffer after AUTO_BUFFER = buffer_heap();
    RUN("cp", path, "before.raw");
    read_view(path, &shown, &remarks);
    expect_same(path, "before.raw");
    assert_string_equal(remarks.data, "/: needs recovery, for it was not shut down; shown as its "
                                      "journal will leave it\n");
    assert_int_equal(shown.len, SIZE);
    expect_block(&shown, size, NEW, "one one ");
    expect_block(&shown, size, ESCAPED, "\xc0\x3b\x39\x98");
    if (whole) {
        expect_block(&shown, size, TWICE, "two two ");
        expect_block(&shown, size, ANEW, "two two ");
    }
    read_recovered(path, &after);
    assert_int_equal(after.len, SIZE);
    assert_memory_equal(shown.data, after.data, SIZE);
}

static void a_view_is_what_recovery_leaves(void **state)
{
    (void)state;
    static const struct {
        const char *options, *open;
        size_t size;
        bool
            whole; /* debugfs gives revocations no checksum of the first kind: the log ends there */
    } cases[] = {
        {"-t ext4 -b 1024", "jo -c -v 3", 1024, true},
        {"-t ext4 -b 4096", "jo -c -v 2", 4096, true},
        {"-t ext4 -b 4096", "jo", 4096, true},
        {"-t ext4 -b 1024 -O ^64bit,^metadata_csum", "jo", 1024, true},
        {"-t ext4 -b 1024 -O ^64bit,^metadata_csum", "jo -c -v 3", 1024, false},
        {"-t ext3 -b 1024 -I 128", "jo", 1024, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        make_disk("a.raw", 16, cases[i].options, "root");
        leave_journal("a.raw", cases[i].open, cases[i].size);
        expect_view("a.raw", cases[i].size, cases[i].whole);
    }
}

/* A view still opens; it says what is missing. */
static void a_damaged_journal_is_remarked_upon(void **state)
{
    (void)state;
    struct buffer shown AUTO_BUFFER = buffer_heap(), remarks AUTO_BUFFER = buffer_heap();
    struct buffer out AUTO_BUFFER = buffer_heap();
    make_disk("a.raw", 16, "-t ext4 -b 1024", "root");
    leave_journal("a.raw", "jo -c -v 3", 1024);
    answers("a.raw", "bmap <8> 2", &out); /* the content of the first block */
    int fd AUTO_CLOSE = open("a.raw", O_WRONLY | O_CLOEXEC);
    off_t at = ROOT_START + (off_t)strtoul(out.data, NULL, 10) * 1024;
    assert_int_equal(pwrite(fd, "damage", 6, at), 6);
    read_view("a.raw", &shown, &remarks);
    assert_string_equal(remarks.data,
                        "/: needs recovery, and its journal cannot be read (the journal: the "
                        "checksum of its block 2 is wrong): the last changes are missing here\n");
    expect_block(&shown, 1024, NEW, "old text\n");
}

static void other_flaws_are_remarked_upon(void **state)
{
    (void)state;
    static const struct {
        const char *options, *request, *remarks;
    } cases[] = {
        {"-t ext4", "ssv state 3", "/: its file system records errors; run e2fsck on it\n"},
        {"-t ext2", "ssv state 0",
         "/: was not shut down, and has no journal: it may be inconsistent\n"},
        {"-t ext4", "ssv last_orphan 20", ""},
        {"-t ext4", "feature needs_recovery",
         "/: needs recovery, for it was not shut down; shown as its journal will leave it\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer shown AUTO_BUFFER = buffer_heap(), remarks AUTO_BUFFER = buffer_heap();
        make_disk("a.raw", 16, cases[i].options, "root");
        RUN("debugfs", "-w", "-R", cases[i].request, "a.raw" ROOT_AT);
        read_view("a.raw", &shown, &remarks);
        assert_string_equal(remarks.data, cases[i].remarks);
        assert_int_equal(shown.len, SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_is_what_recovery_leaves),
        cmocka_unit_test(a_damaged_journal_is_remarked_upon),
        cmocka_unit_test(other_flaws_are_remarked_upon),
    };
    return cmocka_run_group_tests(tests, make_large_root, remove_folder);
}
