#include "builder/image/deflate.h"

#include <zlib.h>

#include "builder/image/disk-fixture.h"

enum { MUCH = 3 * 1000 * 1000 };

static int make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

/* Deflates them in parts that fit no border, and ends the stream. */
static struct deflate_sum deflate_to(const char *path, const char *bytes, size_t n)
{
    enum { PART = 77777 };
    struct error err = ERROR_INIT;
    struct deflate *deflate;
    struct deflate_sum sum = {0};
    int fd AUTO_CLOSE = make_file(path);
    expect(deflate_start(fd, path, &deflate, &err), &err);
    for (size_t done = 0; done < n; done += PART)
        expect(deflate_add(deflate, bytes + done, n - done < PART ? n - done : PART, &err), &err);
    expect(deflate_stop(deflate, true, &sum, &err), &err);
    assert_int_equal(write(fd, DEFLATE_END, 2), 2);
    assert_int_equal(sum.bytes, n);
    return sum;
}

static void check_inflated(const char *path, const char *bytes, size_t n)
{
    size_t size = (size_t)stat_of(path).st_size;
    unsigned char *in AUTO_FREE = heap_array(size, 1), *out AUTO_FREE = heap_array(n + 1, 1);
    int fd AUTO_CLOSE = open(path, O_RDONLY);
    assert_int_equal(read(fd, in, size), size);
    z_stream z = {.next_in = in, .avail_in = (uInt)size, .next_out = out, .avail_out = (uInt)n + 1};
    assert_int_equal(inflateInit2(&z, -15), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(z.total_out, n);
    inflateEnd(&z);
    if (n)
        assert_memory_equal(out, bytes, n);
}

/* Text, then noise. */
static char *make_bytes(void)
{
    char *bytes = heap_array(MUCH, 1);
    for (size_t i = 0; i < MUCH / 2; i++)
        bytes[i] = "what can be deflated"[i * i % 20];
    unsigned state = 1;
    for (size_t i = MUCH / 2; i < MUCH; i++)
        bytes[i] = (char)((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
}

static void streams_are_whole(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 262143, 262144, 262145, 524288, MUCH};
    char *bytes AUTO_FREE = make_bytes();
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct deflate_sum sum = deflate_to("out", bytes, sizes[i]);
        check_inflated("out", bytes, sizes[i]);
        assert_int_equal(sum.crc, crc32(0, (const Bytef *)bytes, (uInt)sizes[i]));
    }
    assert_true(stat_of("out").st_size < MUCH * 3 / 4);
}

static void cores_do_not_show(void **state)
{
    (void)state;
    char *bytes AUTO_FREE = make_bytes();
    use_cores(1);
    deflate_to("one", bytes, MUCH);
    use_cores(CPU_SETSIZE);
    for (int i = 0; i < 5; i++) {
        deflate_to("all", bytes, MUCH);
        RUN("cmp", "one", "all");
    }
}

static void streams_are_joined(void **state)
{
    (void)state;
    char *bytes AUTO_FREE = make_bytes();
    struct deflate_sum first = deflate_to("a", bytes, 1000);
    struct deflate_sum second = deflate_to("b", bytes + 1000, MUCH - 1000);
    struct deflate_sum both = deflate_join(first, second), all = deflate_to("c", bytes, MUCH);
    assert_int_equal(both.crc, all.crc);
    assert_int_equal(both.bytes, MUCH);
    assert_int_equal(truncate("a", stat_of("a").st_size - 2), 0);
    RUN("cp", "a", "ab");
    RUN("dd", "if=b", "of=ab", "oflag=append", "conv=notrunc", "status=none");
    check_inflated("ab", bytes, MUCH);
}

static void failing_writes_are_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct deflate *deflate;
    struct deflate_sum sum = {.bytes = 7};
    char *bytes AUTO_FREE = make_bytes();
    int fd AUTO_CLOSE = open("/dev/full", O_WRONLY | O_CLOEXEC);
    expect(deflate_start(fd, "NAME", &deflate, &err), &err);
    int result = 0;
    for (int i = 0; i < 100 && result == 0; i++)
        result = deflate_add(deflate, bytes, MUCH, &err);
    expect_error(result, &err, "write NAME: No space left on device");
    err = (struct error)ERROR_INIT;
    expect(deflate_stop(deflate, false, &sum, &err), &err);
    expect(deflate_start(fd, "NAME", &deflate, &err), &err);
    expect(deflate_add(deflate, bytes, 1000, &err), &err);
    expect_error(deflate_stop(deflate, true, &sum, &err), &err, "write NAME: No space left");
    assert_int_equal(sum.bytes, 7);
}

static void giving_up_is_possible_at_any_time(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct deflate_sum sum;
    char *bytes AUTO_FREE = make_bytes();
    for (size_t n = 0; n < MUCH; n += 300000) {
        struct deflate *deflate;
        int fd AUTO_CLOSE = make_file("out");
        expect(deflate_start(fd, "out", &deflate, &err), &err);
        expect(deflate_add(deflate, bytes, n, &err), &err);
        expect(deflate_stop(deflate, false, &sum, &err), &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(streams_are_whole),
        IN_FOLDER(cores_do_not_show),
        IN_FOLDER(streams_are_joined),
        IN_FOLDER(failing_writes_are_told),
        IN_FOLDER(giving_up_is_possible_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
