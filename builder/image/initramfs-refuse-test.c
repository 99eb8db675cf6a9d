/* What initramfs_append must not take. */
#include <stdlib.h>
#include <zlib.h>

#include "builder/image/initramfs-fixture.h"

static void baked_ones_are_refused(void **state)
{
    (void)state;
    static const char *const filters[] = {"gzip", "zstd", "lz4"};
    for (size_t i = 0; i < 3; i++) {
        struct buffer initrd AUTO_BUFFER = buffer_heap();
        struct buffer once AUTO_BUFFER = buffer_heap();
        add_debian(&initrd, filters[i]);
        append(&initrd, &once);
        refuse(once.data, once.len, "holds nodebake's script already");
    }
    /* As update-initramfs makes it on a baked image. */
    static const struct item items[] = {{"scripts/functions", "x"},
                                        {"scripts/local-bottom/nodebake", "#!/bin/sh\n"}};
    struct buffer initrd AUTO_BUFFER = buffer_heap();
    add_cpio(&initrd, "zstd", items, 2);
    refuse(initrd.data, initrd.len, "holds nodebake's script already");
}

static void strange_ones_are_refused(void **state)
{
    (void)state;
    static const struct item dracut[] = {{"usr/lib/dracut", NULL}, {"init", "x"}};
    struct buffer initrd AUTO_BUFFER = buffer_heap();
    add_cpio(&initrd, "gzip", dracut, 2);
    refuse(initrd.data, initrd.len, "not made by initramfs-tools");
    refuse("", 0, "not made by initramfs-tools");
    static const char zeros[64];
    refuse(zeros, sizeof zeros, "not made by initramfs-tools");
    refuse("MZ is no initrd at all", 22, "not a cpio archive in gzip");
    refuse("\x89LZO\0\r\n\x1a\n compressed by lzop", 28, "not a cpio archive in gzip");
    struct error err = ERROR_INIT;
    struct initramfs_addition empty = ADDITION;
    struct buffer out AUTO_BUFFER = buffer_heap();
    buffer_clear(&initrd);
    add_debian(&initrd, "gzip");
    empty.firstboot_len = 0;
    assert_int_equal(scan_and_append(initrd.data, initrd.len, &empty, &out, &err), -1);
    assert_non_null(strstr(err.text, "firstboot must have 1 to"));
}

static void uncompressed_damage_is_refused(void **state)
{
    (void)state;
    struct buffer whole AUTO_BUFFER = buffer_heap();
    add_debian(&whole, NULL);
    const char *trailer = memmem(whole.data, whole.len, "TRAILER!!!", 11);
    assert_non_null(trailer);
    size_t end = (size_t)(trailer - whole.data) + 11;
    for (size_t len = 1; len < end; len++) {
        char *cut = malloc(len);
        memcpy(cut, whole.data, len);
        struct error err = ERROR_INIT;
        struct buffer out AUTO_BUFFER = buffer_heap();
        assert_int_equal(scan_and_append(cut, len, &ADDITION, &out, &err), -1);
        free(cut);
        assert_non_null(strstr(err.text, "damaged"));
    }
    memcpy(whole.data + 54, "ffffffff", 8);
    refuse(whole.data, whole.len, "ends behind the end of the initrd");
    memcpy(whole.data + 54, "0000zz00", 8);
    refuse(whole.data, whole.len, "no cpio entry at byte 0");
    memcpy(whole.data + 54, "00000000", 8);
    memcpy(whole.data + 94, "ffffffff", 8);
    refuse(whole.data, whole.len, "bad name");
    memcpy(whole.data + 94, "00000000", 8);
    refuse(whole.data, whole.len, "bad name");
    struct buffer shifted AUTO_BUFFER = buffer_heap();
    buffer_add(&shifted, "\0", 1);
    add_debian(&shifted, NULL);
    refuse(shifted.data, shifted.len, "no multiple of 4");
}

static void compressed_damage_is_refused(void **state)
{
    (void)state;
    static const char *const filters[] = {"gzip", "zstd", "xz", "lz4", "bzip2"};
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        struct buffer whole AUTO_BUFFER = buffer_heap();
        add_debian(&whole, filters[i]);
        struct error err = ERROR_INIT;
        struct buffer out AUTO_BUFFER = buffer_heap();
        assert_int_equal(scan_and_append(whole.data, whole.len / 2, &ADDITION, &out, &err), -1);
        memset(whole.data + whole.len / 2, 0x55, whole.len / 4);
        assert_int_equal(scan_and_append(whole.data, whole.len, &ADDITION, &out, &err), -1);
        assert_true(*err.text);
    }
}

static void orders_are_bounded(void **state)
{
    (void)state;
    char *huge AUTO_FREE = heap_array(70001, 1);
    memset(huge, 'x', 70000);
    struct item items[] = {{"scripts/functions", "x"}, {"scripts/local-bottom/ORDER", huge}};
    static const char *const filters[] = {NULL, "gzip"};
    for (size_t i = 0; i < 2; i++) {
        struct buffer initrd AUTO_BUFFER = buffer_heap();
        add_cpio(&initrd, filters[i], items, 2);
        refuse(initrd.data, initrd.len, "ORDER is not a text of at most");
    }
}

/* A header that promises 2 GiB of zeros, gzip'ed: a few hundred bytes. It must be refused by
 * what it says, without being unpacked. */
static void bombs_are_refused(void **state)
{
    (void)state;
    static const char header[] = "070701"
                                 "00000001000081a40000000000000000000000010000000080000000"
                                 "00000000000000000000000000000000"
                                 "0000000500000000"
                                 "bomb\0\0";
    unsigned char packed[512];
    z_stream z = {.next_in = (Bytef *)(uintptr_t)header,
                  .avail_in = 116,
                  .next_out = packed,
                  .avail_out = sizeof packed};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t len = sizeof packed - z.avail_out;
    deflateEnd(&z);
    refuse(packed, len, "unpacks to more than 1024 MiB");
    char *large = calloc(1, (size_t)INITRD_MAX + 1);
    refuse(large, (size_t)INITRD_MAX + 1, "larger than 128 MiB");
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(baked_ones_are_refused),
        cmocka_unit_test(strange_ones_are_refused),
        cmocka_unit_test(uncompressed_damage_is_refused),
        cmocka_unit_test(compressed_damage_is_refused),
        cmocka_unit_test(orders_are_bounded),
        cmocka_unit_test(bombs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
