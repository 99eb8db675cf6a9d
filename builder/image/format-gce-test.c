#include "builder/image/disk-fixture.h"
#include "builder/image/format.h"
#include "builder/image/zeros.h"
#include "common/buffer.h"

static const uint64_t GIB = 1 << 30;

/* Gives the disk to the format as image_export does, but piece by piece. */
static int feed(const char *disk, struct sink *sink, struct error *err)
{
    char piece[FORMAT_PIECE];
    int fd AUTO_CLOSE = open(disk, O_RDONLY);
    for (off_t at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0; at += FORMAT_PIECE) {
        at -= at % FORMAT_PIECE;
        ssize_t n = pread(fd, piece, sizeof piece, at);
        if (n > 0 && !all_zeros(piece, (size_t)n) &&
            format_gce.data(sink, (uint64_t)at, piece, (size_t)n, err) < 0)
            return -1;
    }
    return 0;
}

static int make_gce(const char *disk, const char *path, struct error *err)
{
    struct sink *sink;
    struct sink_start start = {
        .path = path, .size = (uint64_t)stat_of(disk).st_size, .mtime = 1700000000};
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (format_gce.begin(&start, &sink, err) < 0)
        return -1;
    int result = feed(disk, sink, err);
    return format_gce.end(sink, result == 0, err) < 0 ? -1 : result;
}

static void expect_listed(const char *tool, const char *options, const char *size)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    const char *const argv[] = {tool, options, "disk.tar.gz", NULL};
    struct process p = {.argv = argv, .out = &out};
    expect(process_run(&p, NULL, &err), &err);
    assert_non_null(strstr(out.data, size));
    assert_non_null(strstr(out.data, " disk.raw\n"));
    assert_ptr_equal(strchr(out.data, '\n'), out.data + out.len - 1);
}

/* Both readers give the disk back, grown to whole GiB, still sparse. */
static void check_disk(const char *disk)
{
    struct error err = ERROR_INIT;
    uint64_t size = ((uint64_t)stat_of(disk).st_size + GIB - 1) / GIB * GIB;
    char *text AUTO_FREE = heap_printf(" %llu ", (unsigned long long)size);
    expect(make_gce(disk, "disk.tar.gz", &err), &err);
    RUN("gzip", "-t", "disk.tar.gz");
    expect_listed("tar", "-tvf", text);
    expect_listed("bsdtar", "-tvf", text);
    static const char *const readers[] = {"tar", "bsdtar"};
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        RUN(readers[i], "-xSf", "disk.tar.gz");
        struct stat st = stat_of("disk.raw");
        assert_int_equal(st.st_size, size);
        assert_int_equal(st.st_mtim.tv_sec, 1700000000);
        assert_true(st.st_blocks * 512 < 64 << 20);
        RUN("qemu-img", "compare", "-q", "-f", "raw", "-F", "raw", disk, "disk.raw");
        assert_int_equal(unlink("disk.raw"), 0);
    }
}

static void disks_come_back(void **state)
{
    (void)state;
    make_disk("disk", 40 << 20);
    put_noise("disk", 0, 1 << 20, 1);
    put_noise("disk", 10 << 20, 1, 2);
    check_disk("disk");
    assert_int_equal(truncate("disk", (off_t)GIB), 0);
    check_disk("disk");
}

static void odd_sizes_come_back(void **state)
{
    (void)state;
    static const off_t sizes[] = {512, 1000, 65537, (1 << 30) - 1, (1 << 30) + 512};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        make_disk("disk", sizes[i]);
        put_noise("disk", sizes[i] - 1, 1, 3);
        check_disk("disk");
    }
}

static void empty_disks_come_back(void **state)
{
    (void)state;
    make_disk("disk", (off_t)GIB);
    check_disk("disk");
    assert_true(stat_of("disk.tar.gz").st_size < 500);
}

static void data_reach_the_last_byte(void **state)
{
    (void)state;
    make_disk("disk", (off_t)GIB);
    put_noise("disk", (off_t)GIB - 1, 1, 1);
    check_disk("disk");
}

static void large_disks_come_back(void **state)
{
    (void)state;
    make_disk("disk", 20 * (off_t)GIB);
    put_noise("disk", 0, 512, 1);
    put_noise("disk", 8 * (off_t)GIB - 512, 1024, 2);
    put_noise("disk", 20 * (off_t)GIB - 512, 512, 3);
    check_disk("disk");
}

/* Extension headers, more than one block of them. */
static void scattered_data_come_back(void **state)
{
    (void)state;
    make_disk("disk", (off_t)GIB);
    for (off_t i = 0; i < 200; i++)
        put_noise("disk", i * 3 * FORMAT_PIECE + i, 700, (uint64_t)i);
    check_disk("disk");
}

static void the_same_disk_gives_the_same_file(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_disk("disk", 64 << 20);
    put_noise("disk", 1 << 20, 5 << 20, 1);
    use_cores(1);
    expect(make_gce("disk", "one", &err), &err);
    use_cores(CPU_SETSIZE);
    for (int i = 0; i < 3; i++) {
        expect(make_gce("disk", "all", &err), &err);
        RUN("cmp", "one", "all");
    }
}

static int make_on_small(struct error *err)
{
    int result = make_gce("disk", "small/disk.tar.gz", err);
    return count_files("small", "") == 1 ? result : 0;
}

static void full_disks_are_told(void **state)
{
    (void)state;
    make_disk("disk", 64 << 20);
    put_noise("disk", 0, 4 << 20, 1);
    fails_on_full_disk(make_on_small, "write small/disk.tar.gz: No space left on device");
    assert_int_equal(rmdir("small"), 0);
    /* Enough for the deflated data, not for their copy behind the headers. */
    make_disk("disk", 64 << 20);
    put_noise("disk", 0, 700 << 10, 1);
    fails_on_full_disk(make_on_small, "write small/disk.tar.gz: No space left on device");
}

static void unwritable_places_are_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct sink *sink;
    struct sink_start start = {.path = "absent/disk.tar.gz", .size = 512};
    expect_error(format_gce.begin(&start, &sink, &err), &err,
                 "open absent/disk.tar.gz: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(disks_come_back),
        IN_FOLDER(odd_sizes_come_back),
        IN_FOLDER(empty_disks_come_back),
        IN_FOLDER(data_reach_the_last_byte),
        IN_FOLDER(large_disks_come_back),
        IN_FOLDER(scattered_data_come_back),
        IN_FOLDER(the_same_disk_gives_the_same_file),
        IN_FOLDER(full_disks_are_told),
        IN_FOLDER(unwritable_places_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
