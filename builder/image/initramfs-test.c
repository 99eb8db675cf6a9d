#include <fcntl.h>
#include <glob.h>

#include "builder/image/initramfs-fixture.h"
#include "common/file.h"

static const char ORDER_EXPECTED[] = "/scripts/local-bottom/growroot \"$@\"\n"
                                     "[ -e /conf/param.conf ] && . /conf/param.conf\n"
                                     "/scripts/local-bottom/nodebake \"$@\"\n"
                                     "[ -e /conf/param.conf ] && . /conf/param.conf\n";

static void every_compression_is_read(void **state)
{
    (void)state;
    static const char *const filters[] = {NULL, "gzip", "zstd", "xz", "lzma", "lz4", "bzip2"};
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        struct buffer initrd AUTO_BUFFER = buffer_heap();
        add_cpio(&initrd, NULL, MICROCODE, 2);
        add_debian(&initrd, filters[i]);
        check_added(&initrd,
                    "usr/lib/nodebake 40755 0 1577836800\n"
                    "usr/lib/nodebake/firstboot 100755 12 1577836800\n"
                    "scripts/local-bottom/nodebake 100755 43 1577836800\n"
                    "scripts/local-bottom/ORDER 100644 164 1577836800\n",
                    ORDER_EXPECTED);
    }
}

/* Ubuntu has several uncompressed archives, with zeros between them. */
static void several_archives_are_read(void **state)
{
    (void)state;
    static const struct item bottom[] = {{"scripts/local-bottom/ORDER", "first\n"}};
    struct buffer initrd AUTO_BUFFER = buffer_heap();
    add_cpio(&initrd, NULL, bottom, 1);
    static const char zeros[512];
    buffer_add(&initrd, zeros, 512 - initrd.len % 512);
    add_cpio(&initrd, NULL, MICROCODE, 2);
    buffer_add(&initrd, zeros, (4 - initrd.len % 4) % 4 + 8);
    add_debian(&initrd, "zstd");
    check_added(&initrd, NULL, ORDER_EXPECTED);
}

static void absent_folders_are_made(void **state)
{
    (void)state;
    static const struct item items[] = {{"./scripts", NULL}, {"./scripts/functions", "x"}};
    struct buffer initrd AUTO_BUFFER = buffer_heap();
    add_cpio(&initrd, "gzip", items, 2);
    check_added(&initrd,
                "scripts/local-bottom 40755 0 1577836800\n"
                "usr 40755 0 1577836800\n"
                "usr/lib 40755 0 1577836800\n"
                "usr/lib/nodebake 40755 0 1577836800\n"
                "usr/lib/nodebake/firstboot 100755 12 1577836800\n"
                "scripts/local-bottom/nodebake 100755 43 1577836800\n"
                "scripts/local-bottom/ORDER 100644 82 1577836800\n",
                "/scripts/local-bottom/nodebake \"$@\"\n"
                "[ -e /conf/param.conf ] && . /conf/param.conf\n");
}

static void links_are_not_replaced_by_folders(void **state)
{
    (void)state;
    static const struct item linked[] = {
        {"scripts/functions", "x"}, {"usr/lib", "->../lib"}, {"lib", NULL}};
    static const struct item file[] = {{"scripts/functions", "x"}, {"usr/lib", "a file"}};
    struct buffer initrd AUTO_BUFFER = buffer_heap();
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct buffer list AUTO_BUFFER = buffer_heap();
    struct buffer order AUTO_BUFFER = buffer_heap();
    add_cpio(&initrd, "gzip", linked, 3);
    append(&initrd, &out);
    size_t at = (initrd.len + 3) / 4 * 4;
    list_added(out.data + at, out.len - at, &list, &order);
    assert_null(strstr(list.data, "usr/lib 4"));
    assert_non_null(strstr(list.data, "usr/lib/nodebake 4"));
    buffer_clear(&initrd);
    add_cpio(&initrd, "gzip", file, 2);
    refuse(initrd.data, initrd.len, "usr/lib is a file, and a folder is needed there");
}

static void same_input_gives_same_bytes(void **state)
{
    (void)state;
    struct buffer initrd AUTO_BUFFER = buffer_heap();
    struct buffer one AUTO_BUFFER = buffer_heap();
    struct buffer two AUTO_BUFFER = buffer_heap();
    add_debian(&initrd, "xz");
    append(&initrd, &one);
    append(&initrd, &two);
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);
}

/* What the machine that runs the tests boots with. */
static void real_initrds_are_read(void **state)
{
    (void)state;
    glob_t found;
    size_t read = 0;
    if (glob("/boot/initrd.img-*", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            struct error err = ERROR_INIT;
            struct buffer initrd AUTO_BUFFER = buffer_heap();
            struct buffer out AUTO_BUFFER = buffer_heap();
            if (file_read(AT_FDCWD, found.gl_pathv[i], INITRD_MAX, &initrd, &err) < 0)
                continue;
            append(&initrd, &out);
            assert_true(out.len > initrd.len);
            refuse(out.data, out.len, "already");
            read++;
        }
        globfree(&found);
    }
    if (!read) {
        print_message("no initrd of initramfs-tools in /boot that can be read\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_compression_is_read),
        cmocka_unit_test(several_archives_are_read),
        cmocka_unit_test(absent_folders_are_made),
        cmocka_unit_test(links_are_not_replaced_by_folders),
        cmocka_unit_test(same_input_gives_same_bytes),
        cmocka_unit_test(real_initrds_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
