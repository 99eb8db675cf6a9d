/* Images that lie on others, and those that are packed. The rest is in base-file-test.c. */
#include "builder/image/base-file.h"
#include "builder/image/disk-fixture.h"

enum { DISK_SIZE = 1 << 20 };

static void refuse_layers(const char *path, const char *message)
{
    struct error err = ERROR_INIT;
    struct disk_file file;
    struct image_layers layers AUTO_LAYERS = {.count = 0};
    expect_error(image_probe_layers(path, &file, &layers, &err), &err, message);
    assert_memory_equal(err.text, path, strlen(path));
}

static void layers_are_found_from_where_they_lie(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk_file file;
    struct image_layers layers AUTO_LAYERS = {.count = 0}, one AUTO_LAYERS = {.count = 0};
    assert_int_equal(mkdir("below", 0755), 0);
    make_disk("below/base.raw", DISK_SIZE);
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.raw", "-F", "raw",
        "below/middle.qcow2");
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "-b", "below/middle.qcow2", "-F", "qcow2",
        "top.qcow2");
    expect(image_probe_layers("top.qcow2", &file, &layers, &err), &err);
    assert_true(file.qcow2);
    assert_string_equal(file.path, "top.qcow2");
    assert_int_equal(layers.size, DISK_SIZE);
    assert_int_equal(layers.count, 2);
    assert_string_equal(layers.below[0], "below/middle.qcow2");
    assert_string_equal(layers.below[1], "below/base.raw");
    expect(image_probe_layers("below/base.raw", &file, &one, &err), &err);
    assert_false(file.qcow2);
    assert_int_equal(one.count, 0);
    assert_int_equal(unlink("below/base.raw"), 0);
    refuse_layers("top.qcow2", "below/base.raw: No such file or directory");
}

static void layers_of_no_plain_name_are_refused(void **state)
{
    (void)state;
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "nbd:127.0.0.1:1", "-F", "raw",
        "a.qcow2", "1M");
    refuse_layers("a.qcow2", "lies on nbd:127.0.0.1:1, which is no plain path");
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "c.qcow2", "-F", "qcow2", "b.qcow2",
        "1M");
    RUN("qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "b.qcow2", "-F", "qcow2", "c.qcow2",
        "1M");
    refuse_layers("b.qcow2", "lies on more than 16 files");
}

static void packed_images_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *message;
    } cases[] = {
        {"\x1f\x8b\x08\x01\x01\x01", "is compressed with gzip; `tar -xSzf` unpacks the disk.raw"},
        {"\xfd\x37zXZ\x01", "is compressed with xz"},
        {"\x28\xb5\x2f\xfd\x01\x01", "is compressed with zstd"},
        {"BZh911", "is compressed with bzip2"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        make_disk("a.img", DISK_SIZE);
        put_bytes("a.img", 0, cases[i].bytes, 6);
        refuse_layers("a.img", cases[i].message);
    }
    refuse_layers("absent", "absent: No such file or directory");
}

/* What QEMU's locks look like. */
static void images_that_are_written_to_are_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk_file file;
    struct image_layers layers AUTO_LAYERS = {.count = 0};
    struct flock reads = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1};
    struct flock writes = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 101, .l_len = 1};
    make_disk("a.raw", DISK_SIZE);
    int fd AUTO_CLOSE = open("a.raw", O_RDWR | O_CLOEXEC);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &reads), 0);
    expect(image_probe_layers("a.raw", &file, &layers, &err), &err);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &writes), 0);
    refuse_layers("a.raw", "a machine runs from it, or another program writes to it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(layers_are_found_from_where_they_lie),
        IN_FOLDER(layers_of_no_plain_name_are_refused),
        IN_FOLDER(packed_images_are_refused),
        IN_FOLDER(images_that_are_written_to_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
