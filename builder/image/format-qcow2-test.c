#include "builder/image/disk-fixture.h"
#include "builder/image/format.h"
#include "builder/image/zeros.h"
#include "common/buffer.h"

enum { DISK_SIZE = 32 << 20 };

static int feed(const char *disk, struct sink *sink, struct error *err)
{
    char *chunk AUTO_FREE = heap_array(FORMAT_CHUNK, 1);
    int fd AUTO_CLOSE = open(disk, O_RDONLY);
    ssize_t n;
    for (off_t at = 0; (n = pread(fd, chunk, FORMAT_CHUNK, at)) > 0; at += n)
        if (!all_zeros(chunk, (size_t)n) &&
            format_qcow2.data(sink, (uint64_t)at, chunk, (size_t)n, err) < 0)
            return -1;
    return 0;
}

static int make_qcow2(const char *disk, const char *path, const char *compression,
                      struct error *err)
{
    struct sink *sink;
    struct sink_start start = {
        .path = path, .size = (uint64_t)stat_of(disk).st_size, .compression = compression};
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (format_qcow2.begin(&start, &sink, err) < 0)
        return -1;
    int result = feed(disk, sink, err);
    return format_qcow2.end(sink, result == 0, err) < 0 ? -1 : result;
}

static void make_some(const char *path, off_t size)
{
    static const char text[] = "text that can be compressed, ";
    make_disk(path, size);
    put_noise(path, size - 1, 1, 1);
    put_noise(path, size / 2, size > 4 << 20 ? 1 << 20 : 1, 2);
    for (off_t at = 0; at + (off_t)sizeof text < size / 4; at += (off_t)sizeof text)
        put_bytes(path, at, text, sizeof text);
}

static void check_info(const char *path, const char *line)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    const char *const argv[] = {"qemu-img", "info", path, NULL};
    struct process info = {.argv = argv, .out = &out};
    expect(process_run(&info, NULL, &err), &err);
    if (!strstr(out.data, line))
        fail_msg("'%s' lacks '%s'", out.data, line);
}

static void disks_come_back_compressed(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_some("disk", DISK_SIZE);
    expect(make_qcow2("disk", "zlib.qcow2", "zlib", &err), &err);
    expect(make_qcow2("disk", "zstd.qcow2", "zstd", &err), &err);
    check_info("zlib.qcow2", "compression type: zlib\n");
    check_info("zstd.qcow2", "compression type: zstd\n");
    static const char *const files[] = {"zlib.qcow2", "zstd.qcow2"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        check_info(files[i], "virtual size: 32 MiB (33554432 bytes)\n");
        check_info(files[i], "compat: 1.1\n");
        RUN("qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw", files[i], "disk");
        RUN("qemu-img", "check", "-q", files[i]);
        /* A MiB of noise, and not 8 MiB of text. */
        assert_in_range(stat_of(files[i]).st_size, 1 << 20, 3 << 20);
        assert_int_equal(stat_of(files[i]).st_mode & 07777, 0600);
    }
}

static void odd_sizes_come_back(void **state)
{
    (void)state;
    static const off_t sizes[] = {512, 1000, 65536, 65537, 70144, (1 << 20) + 512, (5 << 20) - 512};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct error err = ERROR_INIT;
        char *size AUTO_FREE = heap_printf("(%d bytes)", (int)((sizes[i] + 511) / 512 * 512));
        make_some("disk", sizes[i]);
        expect(make_qcow2("disk", "a.qcow2", "zstd", &err), &err);
        expect(make_qcow2("disk", "b.qcow2", "zstd", &err), &err);
        check_info("a.qcow2", size);
        RUN("qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw", "a.qcow2", "disk");
        RUN("qemu-img", "check", "-q", "a.qcow2");
        RUN("cmp", "a.qcow2", "b.qcow2");
    }
}

static void the_same_disk_gives_the_same_file(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_some("disk", DISK_SIZE);
    use_cores(1);
    expect(make_qcow2("disk", "one", "zstd", &err), &err);
    use_cores(CPU_SETSIZE);
    for (int i = 0; i < 3; i++) {
        expect(make_qcow2("disk", "all", "zstd", &err), &err);
        RUN("cmp", "one", "all");
    }
}

static void names_are_not_options(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_some("disk", 1 << 20);
    expect(make_qcow2("disk", "json:a,file.filename=b", "zstd", &err), &err);
    RUN("qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw", "./json:a,file.filename=b",
        "disk");
}

static void missing_tools_are_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char *old AUTO_FREE = heap_copy(getenv("PATH"));
    make_some("disk", 1 << 20);
    assert_int_equal(mkdir("bin", 0755), 0);
    setenv("PATH", "bin", 1);
    expect_error(make_qcow2("disk", "a.qcow2", "zstd", &err), &err, "run qemu-img: No such file");
    assert_int_equal(symlink("/usr/bin/qemu-img", "bin/qemu-img"), 0);
    expect_error(make_qcow2("disk", "a.qcow2", "zstd", &err), &err, "run qemu-nbd: No such file");
    setenv("PATH", old, 1);
    expect_error(make_qcow2("disk", "a.qcow2", "brotli", &err), &err, "brotli");
}

static int make_on_small(struct error *err)
{
    int result = make_qcow2("disk", "small/disk.qcow2", "zstd", err);
    return count_files("small", "") == 1 ? result : 0;
}

static void full_disks_are_told(void **state)
{
    (void)state;
    make_some("disk", DISK_SIZE);
    fails_on_full_disk(make_on_small, "write small/disk.qcow2: No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(disks_come_back_compressed),
        IN_FOLDER(odd_sizes_come_back),
        IN_FOLDER(the_same_disk_gives_the_same_file),
        IN_FOLDER(names_are_not_options),
        IN_FOLDER(missing_tools_are_told),
        IN_FOLDER(full_disks_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
