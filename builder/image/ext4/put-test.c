/* What put makes of what is there, on file systems of all kinds. */
#include <time.h>

#include "builder/image/ext4/ext4-fixture.h"
#include "builder/progress.h"

enum { LARGE = 3 * MIB + 5 };

static const struct {
    const char *name, *options;
} VARIANTS[] = {
    {"4k", "-t ext4 -b 4096"},
    {"1k", "-t ext4 -b 1024"},
    {"plain", "-t ext4 -b 4096 -O ^metadata_csum,^64bit"},
    {"no-index", "-t ext4 -b 2048 -O ^dir_index,^filetype"},
    {"ext3", "-t ext3 -b 1024 -I 128"},
    {"ext2", "-t ext2 -b 4096"},
    {"small-inodes", "-t ext4 -b 4096 -I 128"},
    {"inline", "-t ext4 -b 4096 -O inline_data"},
    {"inline-1k", "-t ext4 -b 1024 -I 512 -O inline_data"},
    {"seed", "-t ext4 -b 4096 -O metadata_csum_seed,orphan_file"},
    {"no-xattr", "-t ext4 -b 4096 -O ^ext_attr"},
    {"groups", "-t ext4 -b 1024 -O meta_bg,^resize_inode,^flex_bg"},
};

static char *large;

static int make_full_root(void **state)
{
    if (enter_folder(state) < 0)
        return -1;
    RUN("mkdir", "-p", "root/etc", "root/run", "root/var", "root/usr/lib", "root/srv/full",
        "root/srv/shared");
    write_file("root/etc/os-release", "ID=debian\n", 10);
    write_file("root/srv/full/file", "old", 3);
    char *early AUTO_FREE = make_text("early", 200000);
    write_file("root/etc/early", early, 200000);
    write_file("root/srv/shared/one", "shared", 6);
    RUN("ln", "root/srv/shared/one", "root/srv/shared/two");
    RUN("ln", "-s", "/run", "root/var/run");
    RUN("ln", "-s", "usr/lib", "root/lib");
    RUN("ln", "-s", "/nowhere", "root/srv/dangling");
    RUN("ln", "-s", "/etc/os-release", "root/srv/link");
    RUN("ln", "-s", "loop", "root/srv/loop");
    RUN("mkfifo", "root/srv/fifo");
    large = heap_array(LARGE + 1, 1);
    memset(large, 'x', LARGE);
    write_file("host-file", large, LARGE);
    return 0;
}

static int remove_root(void **state)
{
    free(large);
    return remove_folder(state);
}

/* Capabilities as the kernel takes them: version 2, cap_net_bind_service, effective. */
static char CAPABILITY[20] = "\x01\x00\x00\x02\x00\x04";
static struct xattr XATTRS[] = {{"security.capability", CAPABILITY, sizeof CAPABILITY},
                                {"user.empty", "", 0},
                                {"user.x", "value", 5}};

static void put_new(struct disk *disk)
{
    put_text(disk, "/new/deep/secret", "key", 0600);
    put(disk, (struct entry){.path = "/new/large",
                             .type = ENTRY_FILE,
                             .mode = 06755,
                             .uid = 70000,
                             .gid = 80000,
                             .text = large,
                             .len = LARGE,
                             .xattrs = XATTRS,
                             .xattr_count = ARRAY_LEN(XATTRS)});
    put(disk,
        (struct entry){.path = "/new/host", .type = ENTRY_FILE, .mode = 0755, .host = "host-file"});
    put_text(disk, "/new/empty", "", 0644);
    put(disk, (struct entry){.path = "/var/lib/x", .type = ENTRY_DIR, .mode = 01700});
    put(disk,
        (struct entry){.path = "/new/link", .type = ENTRY_LINK, .uid = 3, .target = "/nowhere"});
    put(disk, (struct entry){.path = "/new/slow",
                             .type = ENTRY_LINK,
                             .target = "/a/target/of/more/than/sixty/bytes/which/does/not/fit/into"
                                       "/the/inode/itself"});
    put(disk, (struct entry){.path = "/new/hard", .type = ENTRY_HARDLINK, .target = "/new/large"});
    put(disk, (struct entry){.path = "/new",
                             .type = ENTRY_DIR,
                             .mode = 02710,
                             .gid = 5,
                             .xattrs = &XATTRS[2],
                             .xattr_count = 1});
    expect_text(disk, "/new/deep/secret", "key");
    expect_text(disk, "/new/empty", "");
    expect_text(disk, "/new/large", large);
    expect_text(disk, "/new/hard", large);
    expect_text(disk, "/new/host", large);
}

static void check_new(const char *path)
{
    EXPECT(path, "?stat /new/deep/secret", "Type: regular", "Mode:  0600", "User:     0",
           "Generation: 0", "Links: 1", "Size: 3\n", "mtime: 0x5e0be100", "ctime: 0x5f5e1000",
           "atime: 0x5e0be100", "?stat /new/deep", "Type: directory", "Mode:  0755", "User:     0",
           "Links: 2", "mtime: 0x5e0be100", "?stat /new/large", "Mode:  06755", "User: 70000",
           "Group: 80000", "Links: 2", "Size: 3145733", "?ea_get /new/large user.x", "value",
           "?ea_get -x /new/large security.capability", "01 00 00 02 00 04 00 00 00 00 00 00",
           "?ea_get /new user.x", "value", "?stat /new/host", "Mode:  0755", "Size: 3145733",
           "mtime: 0x5e0be100", "?stat /new", "Type: directory", "Mode:  02710", "Group:     5",
           "Links: 3", "mtime: 0x5e0be100", "?stat /var/lib/x", "Type: directory", "Mode:  01700",
           "?stat /new/link", "Type: symlink", "Mode:  0777", "User:     3", "dest: \"/nowhere\"",
           "?stat /new/slow", "Type: symlink", "Size: 75", "?cat /new/slow",
           "fit/into/the/inode/itself");
}

static void replace(struct disk *disk)
{
    put_text(disk, "/srv/link", "a file now", 0644);
    expect_text(disk, "/etc/os-release", "ID=debian\n");
    expect_text(disk, "/srv/link", "a file now");
    put(disk, (struct entry){.path = "/srv/link", .type = ENTRY_LINK, .target = "full/file"});
    expect_text(disk, "/srv/link", "old");
    put_text(disk, "/srv/full/file", "new", 0644);
    expect_text(disk, "/srv/link", "new");
    put_text(disk, "/srv/dangling", "whole", 0644);
    expect_text(disk, "/srv/dangling", "whole");
    expect_exists(disk, "/nowhere", 0);
    put_text(disk, "/srv/fifo", "a file now", 0644);
    expect_text(disk, "/srv/fifo", "a file now");
    /* Attributes of a replaced file go, and its other names keep it. */
    put_text(disk, "/new/hard", "apart", 0644);
    expect_text(disk, "/new/large", large);
    put_text(disk, "/srv/shared/one", "apart", 0644);
    expect_text(disk, "/srv/shared/two", "shared");
    put_text(disk, "/new/large", "small", 0644);
    expect_text(disk, "/new/large", "small");
    put(disk, (struct entry){.path = "/new/host", .type = ENTRY_HARDLINK, .target = "/new/empty"});
    put(disk, (struct entry){.path = "/new/host", .type = ENTRY_HARDLINK, .target = "/new/empty"});
    expect_text(disk, "/new/host", "");
}

static void go_through_links(struct disk *disk)
{
    put_text(disk, "/var/run/pid", "1", 0644);
    expect_text(disk, "/run/pid", "1");
    put(disk, (struct entry){.path = "/lib", .type = ENTRY_DIR, .mode = 0711});
    put_text(disk, "/lib/systemd/unit", "u", 0644);
    expect_text(disk, "/usr/lib/systemd/unit", "u");
    expect_text(disk, "/usr/../lib/./systemd/../systemd//unit", "u");
    expect_text(disk, "/../../var/run/pid", "1");
}

static void refuse_misfits(struct disk *disk)
{
    struct entry file = file_entry("/srv/full", "x", 0644);
    expect_refusal(disk, file, "/srv/full is a directory, and cannot be replaced by a file");
    struct entry link = {.path = "/srv/full", .type = ENTRY_LINK, .target = "x"};
    expect_refusal(disk, link, "/srv/full is a directory, and cannot be replaced by a link");
    struct entry dir = {.path = "/etc/os-release", .type = ENTRY_DIR, .mode = 0755};
    expect_refusal(disk, dir, "/etc/os-release is there and is not a directory");
    file.path = "/etc/os-release/x";
    expect_refusal(disk, file, "/etc/os-release is there and is not a directory");
    put(disk, (struct entry){.path = "/srv/lost", .type = ENTRY_LINK, .target = "/nowhere"});
    file.path = "/srv/lost/x";
    expect_refusal(disk, file, "/srv/lost is a link to nowhere");
    file.path = "/srv/loop/x";
    expect_refusal(disk, file, "more than 40 symbolic links");
    struct entry absent = {.path = "/srv/full/x", .type = ENTRY_FILE, .host = "no-such-file"};
    expect_refusal(disk, absent, "no-such-file: No such file");
    absent.host = "/";
    expect_refusal(disk, absent, "/: not a regular file");
    struct entry hard = {.path = "/srv/full/x", .type = ENTRY_HARDLINK, .target = "/srv/none"};
    expect_refusal(disk, hard, "write /srv/full/x: /srv/none is not there");
    hard.target = "/etc";
    expect_refusal(disk, hard, "/etc is a directory");
    link.path = "/srv/full/x";
    link.target = "";
    expect_refusal(disk, link, "a link's target must have");
    struct xattr strange = {"strange.x", "", 0};
    file = file_entry("/srv/full/file", "x", 0644);
    file.xattrs = &strange;
    file.xattr_count = 1;
    expect_refusal(disk, file, "'strange.x' cannot be the name of an extended attribute");
    expect_text(disk, "/srv/full/file", "new");
    RUN("truncate", "-s", "80M", "too-large");
    absent.host = "too-large";
    expect_refusal(disk, absent, "write /srv/full/x from too-large: no room: ");
    struct error err = ERROR_INIT;
    struct buffer names AUTO_BUFFER = buffer_heap();
    assert_int_equal(ext4_list(disk, "/srv/full", &names, &err), 0);
    assert_int_equal(names.len, sizeof "file");
}

static void check_replaced(const char *path)
{
    EXPECT(path, "?stat /new/large", "Mode:  0644", "User:     0", "Links: 1", "Size: 5\n",
           "?ea_list /new/large", "!user.x", "?stat /srv/fifo", "Type: regular", "?stat /usr/lib",
           "Type: directory", "Mode:  0711", "?stat /lib", "Type: symlink", "?stat /new/empty",
           "Links: 2", "?cat /srv/full/file", "new");
}

static void entries_are_put(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(VARIANTS); i++) {
        char *path AUTO_FREE = heap_printf("%s.raw", VARIANTS[i].name);
        print_message("# %s\n", VARIANTS[i].name);
        make_disk(path, 24, VARIANTS[i].options, "root");
        struct disk *disk = open_disk(path, true);
        put_new(disk);
        close_disk(disk);
        check_disk(path);
        check_new(path);
        disk = open_disk(path, true);
        replace(disk);
        go_through_links(disk);
        refuse_misfits(disk);
        close_disk(disk);
        check_disk(path);
        check_replaced(path);
        RUN("rm", path);
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

/* Is there a time between the two in what differs from the base? */
static void expect_no_time(const char *path, const char *base, time_t from, time_t to)
{
    size_t n, same_n;
    char *bytes AUTO_FREE = read_disk(path, &n), *same AUTO_FREE = read_disk(base, &same_n);
    assert_int_equal(n, same_n);
    for (size_t i = 0; i < n; i += 4) {
        uint32_t word, old;
        memcpy(&word, bytes + i, sizeof word);
        memcpy(&old, same + i, sizeof old);
        if (word != old && word >= from && word <= to)
            fail_msg("the time %u at %zu", word, i);
    }
}

/* The clock, the time zone, the umask and what ran before are not in the image. */
static void outcome_hangs_on_calls_only(void **state)
{
    (void)state;
    time_t start = time(NULL);
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        make_disk("base.raw", 10, KINDS[i], "root");
        RUN("cp", "base.raw", "one.raw");
        RUN("cp", "base.raw", "two.raw");
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
        expect_no_time("one.raw", "base.raw", start, time(NULL));
        disk = open_disk("one.raw", false);
        assert_int_equal(root_of(disk)->super->s_wtime, NOW);
        close_disk(disk);
        expect_same("one.raw", "two.raw");
    }
}

/* The same bytes as on a raw disk, and few of them in the overlay. */
static void overlays_hold_what_differs(void **state)
{
    (void)state;
    struct stat st;
    make_disk("disk.raw", 64, "-t ext4 -b 1024", "root");
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "-b", "disk.raw", "-F", "raw", "over.qcow2");
    struct disk *disk = open_disk("over.qcow2", true);
    put_some(disk);
    put_size(disk, "/srv/more", 100000, 0600);
    put_size(disk, "/srv/more", 200000, 0600);
    close_disk(disk);
    assert_int_equal(stat("over.qcow2", &st), 0);
    assert_in_range(st.st_size, 0, 2 * MIB);
    RUN("qemu-img", "convert", "-O", "raw", "over.qcow2", "flat.raw");
    check_disk("flat.raw");
    disk = open_disk("disk.raw", true);
    put_some(disk);
    put_size(disk, "/srv/more", 100000, 0600);
    put_size(disk, "/srv/more", 200000, 0600);
    close_disk(disk);
    expect_same("disk.raw", "flat.raw");
}

static void put_second(struct disk *disk, bool early)
{
    put_size(disk, "/srv/big", 98900, 0640);
    put_text(disk, "/srv/key", "the second key", 0644);
    put_text(disk, "/etc/os-release", "two", 0600);
    put(disk, (struct entry){.path = "/srv/link", .type = ENTRY_LINK, .target = "2nd"});
    if (early)
        put_text(disk, "/etc/early", "", 0644);
}

/* What is put a second time with as many blocks gives the bytes of a put into the base, also when
 * there is better room by then. */
static void rewriting_gives_the_same_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        make_disk("one.raw", 10, KINDS[i], "root");
        RUN("cp", "one.raw", "two.raw");
        struct disk *disk = open_disk("one.raw", true);
        put_size(disk, "/srv/big", 99000, 0600);
        put_text(disk, "/srv/key", "the first key, which was longer", 0600);
        put_text(disk, "/etc/os-release", "one", 0600);
        put(disk, (struct entry){.path = "/srv/link", .type = ENTRY_LINK, .target = "first"});
        put_text(disk, "/etc/early", "", 0644);
        close_disk(disk);
        disk = open_disk("one.raw", true);
        put_second(disk, false);
        close_disk(disk);
        disk = open_disk("two.raw", true);
        put_second(disk, true);
        close_disk(disk);
        expect_same("one.raw", "two.raw");
        check_disk("one.raw");
    }
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_put),
        cmocka_unit_test(outcome_hangs_on_calls_only),
        cmocka_unit_test(overlays_hold_what_differs),
        cmocka_unit_test(rewriting_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, make_full_root, remove_root);
}
