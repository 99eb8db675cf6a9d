#include "builder/image/copy.h"

#include <sys/mman.h>

#include "builder/image/disk-fixture.h"

enum { SIZE = 1 << 20, PART = 600000 };

/* The system copies between files of one file system; from one in memory it cannot. */
struct files {
    struct copy_end disk, memory, out;
};

static struct files make_files(void)
{
    make_disk("disk", SIZE);
    put_noise("disk", 100000, 300000, 1);
    make_disk("out", SIZE);
    struct files files = {.disk = {.fd = open("disk", O_RDONLY | O_CLOEXEC), .path = "DISK"},
                          .memory = {.fd = memfd_create("m", MFD_CLOEXEC), .path = "MEMORY"},
                          .out = {.fd = open("out", O_RDWR | O_CLOEXEC), .path = "OUT"}};
    assert_true(files.disk.fd >= 0 && files.memory.fd >= 0 && files.out.fd >= 0);
    char *bytes AUTO_FREE = heap_array(SIZE, 1);
    assert_int_equal(pread(files.disk.fd, bytes, SIZE, 0), SIZE);
    assert_int_equal(write(files.memory.fd, bytes, SIZE), SIZE);
    return files;
}

static void close_files(struct files *files)
{
    close(files->disk.fd);
    close(files->memory.fd);
    close(files->out.fd);
}

/* The part of the disk from `at` stands in "out" there, and zeros everywhere else. */
static void check_out(const struct files *files, uint64_t at, size_t n)
{
    char *want AUTO_FREE = heap_array(SIZE, 1), *got AUTO_FREE = heap_array(SIZE, 1);
    assert_int_equal(pread(files->disk.fd, want + at, n, (off_t)at), n);
    assert_int_equal(pread(files->out.fd, got, SIZE, 0), SIZE);
    assert_memory_equal(got, want, SIZE);
}

static void bytes_arrive_either_way(void **state)
{
    (void)state;
    for (int through = 0; through < 2; through++)
        for (int fresh = 0; fresh < 2; fresh++) {
            struct error err = ERROR_INIT;
            struct files files = make_files();
            struct progress progress = {.total = PART};
            struct copy_end from = through ? files.memory : files.disk, to = files.out;
            from.at = to.at = 77777;
            assert_int_equal(copy_inside(from, to, 10, NULL), through ? 0 : 10);
            expect(copy_bytes(from, to, PART, fresh, &progress, &err), &err);
            assert_int_equal(progress.done, PART);
            check_out(&files, 77777, PART);
            close_files(&files);
        }
}

static void zeros_are_left_out_of_fresh_files_only(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct files files = make_files();
    expect(copy_bytes(files.memory, files.out, SIZE, true, NULL, &err), &err);
    assert_true(stat_of("out").st_blocks * 512 < SIZE / 2);
    char *ones AUTO_FREE = heap_array(SIZE, 1);
    memset(ones, 1, SIZE);
    put_bytes("out", 0, ones, SIZE);
    expect(copy_bytes(files.memory, files.out, SIZE, false, NULL, &err), &err);
    check_out(&files, 0, SIZE);
    close_files(&files);
}

static void files_that_end_early_are_errors(void **state)
{
    (void)state;
    struct files files = make_files();
    struct copy_end sources[] = {files.disk, files.memory};
    for (size_t i = 0; i < 2; i++) {
        struct error err = ERROR_INIT;
        char *message AUTO_FREE =
            heap_printf("%s: became shorter while it was read", sources[i].path);
        expect_error(copy_bytes(sources[i], files.out, SIZE + 1, false, NULL, &err), &err, message);
    }
    close_files(&files);
}

static void files_that_cannot_be_used_are_named(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct files files = make_files();
    expect_error(copy_bytes(files.out, files.disk, 1, false, NULL, &err), &err,
                 "write DISK: Bad file descriptor");
    struct copy_end closed = {.fd = -1, .path = "CLOSED"};
    expect_error(copy_bytes(closed, files.out, 1, false, NULL, &err), &err,
                 "read CLOSED: Bad file descriptor");
    close_files(&files);
}

static void data_are_found(void **state)
{
    (void)state;
    struct files files = make_files();
    uint64_t data = copy_next_data(files.disk.fd, 0, SIZE);
    assert_in_range(data, 1, 100000);
    assert_in_range(copy_end_of_data(files.disk.fd, data, SIZE), 400000, SIZE - 1);
    assert_int_equal(copy_next_data(files.disk.fd, 800000, SIZE), SIZE);
    assert_int_equal(copy_next_data(files.disk.fd, 0, 10), 10);
    /* Where the system cannot tell, all is data. */
    assert_int_equal(copy_next_data(-1, 5, SIZE), 5);
    assert_int_equal(copy_end_of_data(-1, 5, SIZE), SIZE);
    close_files(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(bytes_arrive_either_way),
        IN_FOLDER(zeros_are_left_out_of_fresh_files_only),
        IN_FOLDER(files_that_end_early_are_errors),
        IN_FOLDER(files_that_cannot_be_used_are_named),
        IN_FOLDER(data_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
