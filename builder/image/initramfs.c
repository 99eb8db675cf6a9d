#include "builder/image/initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "builder/heap.h"
#include "builder/image/initrd.h"

enum { GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 9, GZIP_UNIX = 3 };

static const char SCRIPT_NAME[] = "scripts/local-bottom/nodebake";
static const char PROGRAM_NAME[] = "usr/lib/nodebake/firstboot";
static const char ORDER_NAME[] = "scripts/local-bottom/ORDER";

static void write_archive_free_at(struct archive **a)
{
    archive_write_free(*a);
}

static void entry_free_at(struct archive_entry **entry)
{
    archive_entry_free(*entry);
}

#define AUTO_WRITE_ARCHIVE __attribute__((cleanup(write_archive_free_at)))
#define AUTO_ENTRY         __attribute__((cleanup(entry_free_at)))

static la_ssize_t append_bytes(struct archive *a, void *buffer, const void *bytes, size_t n)
{
    (void)a;
    buffer_add(buffer, bytes, n);
    return (la_ssize_t)n;
}

/* One entry; a NULL content makes a folder. */
static int write_entry(struct archive *a, const char *name, mode_t mode, const void *bytes,
                       size_t n, time_t mtime, struct error *err)
{
    struct archive_entry *entry AUTO_ENTRY = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, bytes ? AE_IFREG : AE_IFDIR);
    archive_entry_set_perm(entry, mode);
    archive_entry_set_nlink(entry, bytes ? 1 : 2);
    archive_entry_set_size(entry, (la_int64_t)n);
    archive_entry_set_mtime(entry, mtime, 0);
    if (archive_write_header(a, entry) != ARCHIVE_OK ||
        (n && archive_write_data(a, bytes, n) != (la_ssize_t)n))
        return error_set(err, "write %s into the initrd: %s", name, archive_error_string(a));
    return 0;
}

/* Only folders that are not there: an entry for a folder would replace a link of that name, such
 * as lib -> usr/lib. */
static int write_folders(struct archive *a, const struct initrd *initrd, time_t mtime,
                         struct error *err)
{
    static const char *const folders[] = INITRD_FOLDERS;
    for (size_t i = 0; i < INITRD_FOLDER_COUNT; i++) {
        if (initrd->folders[i] == INITRD_OTHER)
            return error_set(err, "%s is a file, and a folder is needed there", folders[i]);
        if (initrd->folders[i] == INITRD_NOTHING &&
            write_entry(a, folders[i], 0755, NULL, 0, mtime, err) < 0)
            return -1;
    }
    return 0;
}

/* The form in which initramfs-tools itself writes the lines. */
static void add_order_lines(const struct buffer *old, struct buffer *order)
{
    buffer_add(order, old->data, old->len);
    if (order->len && order->data[order->len - 1] != '\n')
        buffer_puts(order, "\n");
    buffer_printf(order, "/%s \"$@\"\n", SCRIPT_NAME);
    buffer_puts(order, "[ -e /conf/param.conf ] && . /conf/param.conf\n");
}

static int write_files(struct archive *a, const struct initrd *initrd,
                       const struct initramfs_addition *add, struct error *err)
{
    struct buffer order AUTO_BUFFER = buffer_heap();
    add_order_lines(&initrd->order, &order);
    if (write_folders(a, initrd, add->mtime, err) < 0 ||
        write_entry(a, PROGRAM_NAME, 0755, add->firstboot, add->firstboot_len, add->mtime, err) <
            0 ||
        write_entry(a, SCRIPT_NAME, 0755, add->script, add->script_len, add->mtime, err) < 0)
        return -1;
    return write_entry(a, ORDER_NAME, 0644, order.data, order.len, add->mtime, err);
}

static int make_cpio(const struct initrd *initrd, const struct initramfs_addition *add,
                     struct buffer *cpio, struct error *err)
{
    struct archive *a AUTO_WRITE_ARCHIVE = archive_write_new();
    if (!a || archive_write_set_format_cpio_newc(a) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
        archive_write_open(a, cpio, NULL, append_bytes, NULL) != ARCHIVE_OK)
        return error_set(err, "libarchive cannot write cpio archives");
    if (write_files(a, initrd, add, err) < 0)
        return -1;
    if (archive_write_close(a) != ARCHIVE_OK)
        return error_set(err, "write the cpio archive: %s", archive_error_string(a));
    return 0;
}

/* With our mark as the name in the header, and no time: the same bytes each time. */
static int append_gzip(const struct buffer *in, struct buffer *out, struct error *err)
{
    z_stream z = {.next_in = (Bytef *)in->data, .avail_in = (uInt)in->len};
    gz_header header = {.os = GZIP_UNIX, .name = (Bytef *)INITRD_MARK};
    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return error_set(err, "zlib does not start");
    int rc = deflateSetHeader(&z, &header);
    while (rc == Z_OK) {
        char chunk[8192];
        z.next_out = (Bytef *)chunk;
        z.avail_out = sizeof chunk;
        rc = deflate(&z, Z_FINISH);
        buffer_add(out, chunk, sizeof chunk - z.avail_out);
    }
    deflateEnd(&z);
    return rc == Z_STREAM_END ? 0 : error_set(err, "zlib fails with %d", rc);
}

static int check_addition(const struct initramfs_addition *add, struct error *err)
{
    if (!add->firstboot || add->firstboot_len == 0 || add->firstboot_len > INITRAMFS_PROGRAM_MAX)
        return error_set(err, "firstboot must have 1 to %d bytes", INITRAMFS_PROGRAM_MAX);
    if (!add->script || add->script_len == 0 || add->script_len > INITRAMFS_PROGRAM_MAX)
        return error_set(err, "the script of the initramfs must have 1 to %d bytes",
                         INITRAMFS_PROGRAM_MAX);
    return 0;
}

int initramfs_append(const void *initrd, size_t len, const struct initrd *content,
                     const struct initramfs_addition *addition, struct buffer *out,
                     struct error *err)
{
    if (check_addition(addition, err) < 0)
        return -1;
    if (content->baked)
        return error_set(err, "holds nodebake's script already");
    if (!content->tools)
        return error_set(err, "is not made by initramfs-tools (no scripts/functions in it)");
    struct buffer cpio AUTO_BUFFER = buffer_heap();
    if (make_cpio(content, addition, &cpio, err) < 0)
        return -1;
    static const char zeros[4];
    buffer_add(out, initrd, len);
    buffer_add(out, zeros, (4 - len % 4) % 4);
    return append_gzip(&cpio, out, err);
}
