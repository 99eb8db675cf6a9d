#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/image/initramfs.h"
#include "common/file.h"

static const char SCRIPT[] = "#!/bin/sh\nexec /usr/lib/nodebake/firstboot\n";
static const struct initramfs_addition ADDITION = {.firstboot = "\x7f"
                                                                "ELF program",
                                                   .firstboot_len = 12,
                                                   .script = SCRIPT,
                                                   .script_len = sizeof SCRIPT - 1,
                                                   .mtime = 1577836800};

/* An entry of an archive; a NULL content makes a folder, one that begins "->" a link. */
struct item {
    const char *name, *content;
};

static la_ssize_t append_bytes(struct archive *a, void *buffer, const void *bytes, size_t n)
{
    (void)a;
    buffer_add(buffer, bytes, n);
    return (la_ssize_t)n;
}

static void write_item(struct archive *a, const struct item *item)
{
    struct archive_entry *entry = archive_entry_new();
    bool link = item->content && strncmp(item->content, "->", 2) == 0;
    archive_entry_set_pathname(entry, item->name);
    archive_entry_set_filetype(entry, link ? AE_IFLNK : item->content ? AE_IFREG : AE_IFDIR);
    archive_entry_set_perm(entry, item->content ? 0644 : 0755);
    if (link)
        archive_entry_set_symlink(entry, item->content + 2);
    size_t size = item->content && !link ? strlen(item->content) : 0;
    archive_entry_set_size(entry, (la_int64_t)size);
    assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
    if (size)
        assert_int_equal(archive_write_data(a, item->content, size), size);
    archive_entry_free(entry);
}

/* Appends an archive; the filter is a name such as "gzip", or NULL for none. */
static void add_cpio(struct buffer *out, const char *filter, const struct item *items, size_t n)
{
    struct archive *a = archive_write_new();
    assert_int_equal(archive_write_set_format_cpio_newc(a), ARCHIVE_OK);
    if (filter)
        assert_int_equal(archive_write_add_filter_by_name(a, filter), ARCHIVE_OK);
    archive_write_set_bytes_in_last_block(a, 1);
    assert_int_equal(archive_write_open(a, out, NULL, append_bytes, NULL), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++)
        write_item(a, &items[i]);
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static const struct item DEBIAN[] = {
    {"bin", "->usr/bin"},
    {"lib", "->usr/lib"},
    {"scripts", NULL},
    {"scripts/functions", "run_scripts() { :; }\n"},
    {"scripts/local-bottom", NULL},
    {"scripts/local-bottom/ORDER", "/scripts/local-bottom/growroot \"$@\"\n"
                                   "[ -e /conf/param.conf ] && . /conf/param.conf\n"},
    {"usr", NULL},
    {"usr/lib", NULL},
    {"usr/lib/modules", NULL},
};
static const struct item MICROCODE[] = {{"kernel", NULL}, {"kernel/x86", "microcode"}};

static void add_debian(struct buffer *out, const char *filter)
{
    add_cpio(out, filter, DEBIAN, sizeof DEBIAN / sizeof DEBIAN[0]);
}

static void append(const struct buffer *initrd, struct buffer *out)
{
    struct error err = ERROR_INIT;
    if (initramfs_append(initrd->data, initrd->len, &ADDITION, out, &err) < 0)
        fail_msg("%s", err.text);
}

static void refuse(const void *bytes, size_t len, const char *message)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    assert_int_equal(initramfs_append(bytes, len, &ADDITION, &out, &err), -1);
    assert_int_equal(out.len, 0);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
}

/* Lists what was appended as "name mode size mtime" lines; ORDER's text goes to `order`. */
static void list_added(const char *bytes, size_t len, struct buffer *list, struct buffer *order)
{
    struct archive *a = archive_read_new();
    struct archive_entry *entry;
    archive_read_support_filter_gzip(a);
    archive_read_support_format_cpio(a);
    assert_int_equal(archive_read_open_memory(a, bytes, len), ARCHIVE_OK);
    int rc;
    while ((rc = archive_read_next_header(a, &entry)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        buffer_printf(list, "%s %o %d %d\n", name, archive_entry_mode(entry),
                      (int)archive_entry_size(entry), (int)archive_entry_mtime(entry));
        if (strstr(name, "ORDER")) {
            char text[4096];
            la_ssize_t n = archive_read_data(a, text, sizeof text);
            assert_true(n >= 0);
            buffer_add(order, text, (size_t)n);
        }
    }
    assert_int_equal(rc, ARCHIVE_EOF);
    archive_read_free(a);
}

static void check_added(const struct buffer *initrd, const char *expected_list,
                        const char *expected_order)
{
    struct buffer out AUTO_BUFFER = buffer_heap();
    struct buffer list AUTO_BUFFER = buffer_heap();
    struct buffer order AUTO_BUFFER = buffer_heap();
    append(initrd, &out);
    size_t at = (initrd->len + 3) / 4 * 4;
    assert_true(out.len > at);
    assert_memory_equal(out.data, initrd->data, initrd->len);
    for (size_t i = initrd->len; i < at; i++)
        assert_int_equal(out.data[i], 0);
    list_added(out.data + at, out.len - at, &list, &order);
    if (expected_list)
        assert_string_equal(list.data, expected_list);
    assert_string_equal(order.data, expected_order);
}

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
    assert_int_equal(initramfs_append(initrd.data, initrd.len, &empty, &out, &err), -1);
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
        assert_int_equal(initramfs_append(cut, len, &ADDITION, &out, &err), -1);
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
        assert_int_equal(initramfs_append(whole.data, whole.len / 2, &ADDITION, &out, &err), -1);
        memset(whole.data + whole.len / 2, 0x55, whole.len / 4);
        assert_int_equal(initramfs_append(whole.data, whole.len, &ADDITION, &out, &err), -1);
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
        cmocka_unit_test(baked_ones_are_refused),
        cmocka_unit_test(strange_ones_are_refused),
        cmocka_unit_test(uncompressed_damage_is_refused),
        cmocka_unit_test(compressed_damage_is_refused),
        cmocka_unit_test(orders_are_bounded),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(real_initrds_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
