/* For tests of the initramfs: archives in memory, what was appended to them, refusals. */
#ifndef NB_BUILDER_INITRAMFS_FIXTURE_H
#define NB_BUILDER_INITRAMFS_FIXTURE_H

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/image/initramfs.h"

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

static inline la_ssize_t append_bytes(struct archive *a, void *buffer, const void *bytes, size_t n)
{
    (void)a;
    buffer_add(buffer, bytes, n);
    return (la_ssize_t)n;
}

static inline void write_item(struct archive *a, const struct item *item)
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
static inline void add_cpio(struct buffer *out, const char *filter, const struct item *items,
                            size_t n)
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

static inline void add_debian(struct buffer *out, const char *filter)
{
    add_cpio(out, filter, DEBIAN, sizeof DEBIAN / sizeof DEBIAN[0]);
}

static inline int scan_and_append(const void *bytes, size_t len,
                                  const struct initramfs_addition *addition, struct buffer *out,
                                  struct error *err)
{
    struct initrd content = {.order = buffer_heap()};
    int result = initrd_scan(bytes, len, &content, err);
    if (result == 0)
        result = initramfs_append(bytes, len, &content, addition, out, err);
    buffer_free(&content.order);
    return result;
}

static inline void append(const struct buffer *initrd, struct buffer *out)
{
    struct error err = ERROR_INIT;
    if (scan_and_append(initrd->data, initrd->len, &ADDITION, out, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void refuse(const void *bytes, size_t len, const char *message)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    assert_int_equal(scan_and_append(bytes, len, &ADDITION, &out, &err), -1);
    assert_int_equal(out.len, 0);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
}

/* Lists what was appended as "name mode size mtime" lines; ORDER's text goes to `order`. */
static inline void list_added(const char *bytes, size_t len, struct buffer *list,
                              struct buffer *order)
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

static inline void check_added(const struct buffer *initrd, const char *expected_list,
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

#endif
