#include "builder/image/blocks.h"
#include "builder/image/disk-fixture.h"

enum { DISK_SIZE = 4 << 20, CLUSTER = 65536 };

static const struct disk_file files[] = {{.path = "disk.raw"},
                                         {.path = "disk.qcow2", .qcow2 = true}};

/* The same disk as a raw file, and as a qcow2 image on a backing file. */
static void make_disks(void)
{
    make_disk("disk.raw", DISK_SIZE);
    put_noise("disk.raw", CLUSTER / 2, 3 * CLUSTER, 1);
    RUN("qemu-img", "convert", "-O", "qcow2", "-c", "disk.raw", "backing.qcow2");
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "-b", "backing.qcow2", "-F", "qcow2",
        "disk.qcow2");
}

static struct blocks *opened(const struct disk_file *file, bool writable)
{
    struct error err = ERROR_INIT;
    struct blocks *blocks = NULL;
    expect(blocks_open(file, writable, &blocks, &err), &err);
    assert_int_equal(blocks_size(blocks), DISK_SIZE);
    assert_int_equal(blocks_fd(blocks) >= 0, !file->qcow2);
    return blocks;
}

static void closed(struct blocks *blocks)
{
    struct error err = ERROR_INIT;
    expect(blocks_close(blocks, &err), &err);
}

/* Every way to write, at places that are not even. */
static void edit(struct blocks *blocks)
{
    struct error err = ERROR_INIT;
    char *bytes AUTO_FREE = heap_array(3 * CLUSTER, 1);
    memset(bytes, 'w', 3 * CLUSTER);
    expect(blocks_write(blocks, 1000, "some bytes", 10, &err), &err);
    expect(blocks_write(blocks, 10 * CLUSTER - 7, bytes, 3 * CLUSTER, &err), &err);
    expect(blocks_zero(blocks, CLUSTER + 5, CLUSTER + 100, &err), &err);
    make_disk("file", 2 * CLUSTER);
    put_noise("file", 0, 2 * CLUSTER, 2);
    int fd AUTO_CLOSE = open("file", O_RDONLY);
    expect(blocks_copy(blocks, 20 * CLUSTER + 11, fd, 13, 2 * CLUSTER - 13, &err), &err);
    expect(blocks_write(blocks, DISK_SIZE - 1, "e", 1, &err), &err);
    expect(blocks_write(blocks, DISK_SIZE, "", 0, &err), &err);
}

static void both_kinds_are_edited_alike(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_disks();
    RUN("cp", "backing.qcow2", "before.qcow2");
    char bytes[10], *all AUTO_FREE = heap_array(DISK_SIZE, 1);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct blocks *blocks = opened(&files[i], true);
        edit(blocks);
        expect(blocks_read(blocks, 1000, bytes, 10, &err), &err);
        assert_memory_equal(bytes, "some bytes", 10);
        closed(blocks);
        blocks = opened(&files[i], false);
        expect(blocks_read(blocks, 0, all, DISK_SIZE, &err), &err);
        assert_int_equal(all[DISK_SIZE - 1], 'e');
        closed(blocks);
    }
    RUN("qemu-img", "compare", "-q", "-f", "raw", "-F", "qcow2", "disk.raw", "disk.qcow2");
    RUN("qemu-img", "check", "-q", "disk.qcow2");
    RUN("cmp", "backing.qcow2", "before.qcow2");
}

static void the_same_requests_give_the_same_file(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        make_disks();
        use_cores(i == 1 ? 1 : CPU_SETSIZE);
        struct blocks *blocks = opened(&files[1], true);
        edit(blocks);
        closed(blocks);
        if (i == 0)
            RUN("mv", "disk.qcow2", "first.qcow2");
        else
            RUN("cmp", "disk.qcow2", "first.qcow2");
    }
}

static bool file_holds(const char *path, const char *text)
{
    size_t n = (size_t)stat_of(path).st_size;
    char *bytes AUTO_FREE = heap_array(n, 1);
    int fd AUTO_CLOSE = open(path, O_RDONLY);
    assert_int_equal(read(fd, bytes, n), n);
    return memmem(bytes, n, text, strlen(text)) != NULL;
}

/* No mark in a table says that they are zeros while the secret stays behind it. */
static void zeros_cover_what_was_there(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_disks();
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct blocks *blocks = opened(&files[i], true);
        expect(blocks_write(blocks, 40 * CLUSTER + 7, "PRIVATE KEY", 11, &err), &err);
        closed(blocks);
        assert_true(file_holds(files[i].path, "PRIVATE KEY"));
        blocks = opened(&files[i], true);
        expect(blocks_zero(blocks, 40 * CLUSTER, 2 * CLUSTER, &err), &err);
        closed(blocks);
        assert_false(file_holds(files[i].path, "PRIVATE KEY"));
    }
}

static void what_is_not_on_the_disk_is_refused(void **state)
{
    (void)state;
    make_disks();
    char byte = 0;
    make_disk("file", 100);
    int fd AUTO_CLOSE = open("file", O_RDONLY);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct error err = ERROR_INIT, last = ERROR_INIT;
        struct blocks *b = opened(&files[i], true);
        const char *message = "bytes at 4194304 are not all on the disk";
        expect_error(blocks_read(b, DISK_SIZE, &byte, 1, &err), &err, message);
        expect_error(blocks_write(b, DISK_SIZE, &byte, 1, &err), &err, message);
        expect_error(blocks_zero(b, DISK_SIZE, 1, &err), &err, message);
        expect_error(blocks_copy(b, DISK_SIZE, fd, 0, 1, &err), &err, message);
        expect_error(blocks_zero(b, 1, UINT64_MAX, &err), &err, "are not all on the disk");
        expect_error(blocks_copy(b, 0, fd, 90, 11, &err), &err, "became shorter while it was read");
        int none = -1;
        expect_error(blocks_copy(b, 0, none, 0, 1, &err), &err,
                     "read the file: Bad file descriptor");
        expect(blocks_close(b, &last), &last);
    }
}

static void reading_changes_nothing(void **state)
{
    (void)state;
    make_disks();
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct error err = ERROR_INIT;
        RUN("cp", "--sparse=always", files[i].path, "before");
        struct blocks *blocks = opened(&files[i], false);
        assert_int_equal(blocks_write(blocks, 0, "x", 1, &err), -1);
        expect_error(-1, &err, "write disk.");
        closed(blocks);
        RUN("cmp", files[i].path, "before");
    }
}

static void a_cut_raw_file_is_an_error(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char byte;
    make_disks();
    struct blocks *blocks = opened(&files[0], false);
    assert_int_equal(truncate("disk.raw", 100), 0);
    expect_error(blocks_read(blocks, 100, &byte, 1, &err), &err, "disk.raw: was cut while it was");
    closed(blocks);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct blocks *blocks;
    struct disk_file folder = {.path = "."}, null = {.path = "/dev/null"};
    expect_error(blocks_open(&files[0], false, &blocks, &err), &err, "open disk.raw: No such file");
    expect_error(blocks_open(&files[1], false, &blocks, &err), &err, "disk.qcow2': No such file");
    expect_error(blocks_open(&folder, false, &blocks, &err), &err, "open .: not a file");
    expect_error(blocks_open(&null, false, &blocks, &err), &err, "open /dev/null: not a file");
    err = (struct error)ERROR_INIT;
    expect(blocks_close(NULL, &err), &err);
}

static void names_are_not_protocols(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_disks();
    assert_int_equal(rename("disk.qcow2", "nbd:host,x"), 0);
    struct disk_file file = {.path = "nbd:host,x", .qcow2 = true};
    struct blocks *blocks = opened(&file, true);
    expect(blocks_write(blocks, 0, "x", 1, &err), &err);
    closed(blocks);
}

/* Of a device the size is not in its inode. */
static void block_devices_are_read(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    make_disks();
    char bytes[10], *name AUTO_FREE = realpath("disk.raw", NULL);
    const char *const argv[] = {"losetup", "--show", "-f", name, NULL};
    struct process losetup = {.argv = argv, .out = &out};
    put_bytes("disk.raw", 1000, "some bytes", 10);
    if (process_run(&losetup, NULL, &err) < 0)
        skip();
    out.data[out.len - 1] = '\0';
    struct disk_file file = {.path = out.data};
    struct blocks *blocks = opened(&file, false);
    expect(blocks_read(blocks, 1000, bytes, 10, &err), &err);
    closed(blocks);
    RUN("losetup", "-d", out.data);
    assert_memory_equal(bytes, "some bytes", 10);
}

static int write_much(struct error *err)
{
    static const char bytes[CLUSTER] = "x";
    struct disk_file file = {.path = "small/disk.qcow2", .qcow2 = true};
    struct blocks *blocks = NULL;
    struct error ignored = ERROR_INIT;
    int result = blocks_open(&file, true, &blocks, err);
    for (uint64_t at = 0; result == 0 && at < DISK_SIZE; at += sizeof bytes)
        result = blocks_write(blocks, at, bytes, sizeof bytes, err);
    return blocks_close(blocks, &ignored) < 0 ? -1 : result;
}

static int fill_qcow2(struct error *err)
{
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "small/disk.qcow2", "4M");
    return write_much(err);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    fails_on_full_disk(fill_qcow2, "write small/disk.qcow2: No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(both_kinds_are_edited_alike), IN_FOLDER(the_same_requests_give_the_same_file),
        IN_FOLDER(zeros_cover_what_was_there),  IN_FOLDER(what_is_not_on_the_disk_is_refused),
        IN_FOLDER(reading_changes_nothing),     IN_FOLDER(a_cut_raw_file_is_an_error),
        IN_FOLDER(other_files_are_refused),     IN_FOLDER(names_are_not_protocols),
        IN_FOLDER(block_devices_are_read),      IN_FOLDER(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
