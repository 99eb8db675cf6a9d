#include "builder/image/initrd.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/image/initramfs.h"

enum { ORDER_MAX = 64 * 1024, NAME_MAX_NEWC = 4096, READ_CHUNK = 16 * 1024 };

/* The header of a newc entry: a magic of 6 bytes and 13 numbers of 8 hex digits.
 *
 *    070701 ino mode uid gid nlink mtime filesize major minor rmajor rminor namesize check
 *    name NUL [to 4 bytes] content [to 4 bytes] */
enum {
    NEWC_HEADER = 110,
    NEWC_MODE = 14,
    NEWC_FILESIZE = 54,
    NEWC_NAMESIZE = 94,
};

static void read_archive_free_at(struct archive **a)
{
    archive_read_free(*a);
}
#define AUTO_READ_ARCHIVE __attribute__((cleanup(read_archive_free_at)))

static enum initrd_item item_of(mode_t mode)
{
    return S_ISDIR(mode) ? INITRD_DIR : S_ISLNK(mode) ? INITRD_LINK : INITRD_OTHER;
}

/* Names are relative to the root, some with "./" or "/" before them. */
static const char *clean_name(const char *name)
{
    while (name[0] == '/' || (name[0] == '.' && name[1] == '/'))
        name++;
    return name;
}

/* Takes note of an entry; true when its content is wanted. A later entry replaces an earlier. */
static bool note(struct initrd *out, const char *name, mode_t mode)
{
    static const char *const folders[] = INITRD_FOLDERS;
    name = clean_name(name);
    for (size_t i = 0; i < INITRD_FOLDER_COUNT; i++)
        if (strcmp(name, folders[i]) == 0)
            out->folders[i] = item_of(mode);
    if (strcmp(name, "scripts/functions") == 0)
        out->tools = true;
    if (strcmp(name, "scripts/local-bottom/nodebake") == 0)
        out->baked = true;
    return strcmp(name, "scripts/local-bottom/ORDER") == 0 && S_ISREG(mode);
}

static int take_order(struct initrd *out, const char *bytes, size_t n, struct error *err)
{
    if (n > ORDER_MAX || memchr(bytes, '\0', n))
        return error_set(err, "scripts/local-bottom/ORDER is not a text of at most %d bytes",
                         ORDER_MAX);
    buffer_clear(&out->order);
    buffer_add(&out->order, bytes, n);
    return 0;
}

static bool hex_number(const char *at, uint32_t *number)
{
    *number = 0;
    for (size_t i = 0; i < 8; i++) {
        char c = at[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return false;
        *number = *number << 4 | digit;
    }
    return true;
}

static size_t align4(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

/* Reads the entry at the offset and moves behind it: 1, 0 behind the trailer, or -1. */
static int next_newc(const char *bytes, size_t len, size_t *at, struct initrd *out,
                     struct error *err)
{
    const char *header = bytes + *at;
    uint32_t mode, filesize, namesize;
    size_t left = len - *at;
    if (left < NEWC_HEADER || memcmp(header, "07070", 5) != 0 ||
        (header[5] != '1' && header[5] != '2') || !hex_number(header + NEWC_MODE, &mode) ||
        !hex_number(header + NEWC_FILESIZE, &filesize) ||
        !hex_number(header + NEWC_NAMESIZE, &namesize))
        return error_set(err, "damaged: no cpio entry at byte %zu", *at);
    size_t name_end = NEWC_HEADER + (size_t)namesize, content = align4(name_end);
    const char *name = header + NEWC_HEADER;
    if (namesize == 0 || namesize > NAME_MAX_NEWC || name_end > left || name[namesize - 1] != '\0')
        return error_set(err, "damaged: bad name in the cpio entry at byte %zu", *at);
    if (filesize && (content > left || filesize > left - content))
        return error_set(err, "damaged: %s ends behind the end of the initrd", name);
    bool order = note(out, name, (mode_t)mode);
    if (order && take_order(out, filesize ? header + content : "", filesize, err) < 0)
        return -1;
    size_t whole = align4(content + filesize);
    *at += whole < left ? whole : left;
    return strcmp(name, "TRAILER!!!") != 0;
}

static int read_content(struct archive *a, struct initrd *out, struct error *err)
{
    char chunk[READ_CHUNK];
    la_ssize_t n;
    buffer_clear(&out->order);
    while ((n = archive_read_data(a, chunk, sizeof chunk)) > 0) {
        if (out->order.len + (size_t)n > ORDER_MAX || memchr(chunk, '\0', (size_t)n))
            return error_set(err, "scripts/local-bottom/ORDER is not a text of at most %d bytes",
                             ORDER_MAX);
        buffer_add(&out->order, chunk, (size_t)n);
    }
    return n < 0 ? error_set(err, "damaged: %s", archive_error_string(a)) : 0;
}

/* The sizes are added up before anything is unpacked, so that a small file that would unpack to
 * gigabytes costs nothing. */
static int scan_entries(struct archive *a, struct initrd *out, struct error *err)
{
    struct archive_entry *entry;
    uint64_t total = 0;
    int rc;
    while ((rc = archive_read_next_header(a, &entry)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        if (!name)
            return error_set(err, "damaged: an entry has no name");
        int64_t size = archive_entry_size(entry);
        total += NEWC_HEADER + strlen(name) + (size > 0 ? (uint64_t)size : 0);
        if (total > INITRD_UNPACKED_MAX)
            return error_set(err, "unpacks to more than %d MiB", INITRD_UNPACKED_MAX >> 20);
        if (note(out, name, archive_entry_mode(entry)) && read_content(a, out, err) < 0)
            return -1;
    }
    if (rc != ARCHIVE_EOF)
        return error_set(err, "damaged: %s", archive_error_string(a));
    return 0;
}

static int scan_compressed(const char *bytes, size_t len, struct initrd *out, struct error *err)
{
    struct archive *a AUTO_READ_ARCHIVE = archive_read_new();
    /* Not all filters: some run other programs. */
    if (!a || archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
        archive_read_support_filter_xz(a) != ARCHIVE_OK ||
        archive_read_support_filter_lzma(a) != ARCHIVE_OK ||
        archive_read_support_filter_lz4(a) != ARCHIVE_OK ||
        archive_read_support_filter_bzip2(a) != ARCHIVE_OK ||
        archive_read_support_format_cpio(a) != ARCHIVE_OK)
        return error_set(err, "this libarchive cannot read all compressions of initrds");
    if (archive_read_open_memory(a, bytes, len) != ARCHIVE_OK)
        return error_set(err, "not a cpio archive in gzip, zstd, xz, lzma, lz4 or bzip2: %s",
                         archive_error_string(a));
    return scan_entries(a, out, err);
}

/* Our own archives stand behind what is compressed, where a reader of cpio does not come. */
static bool holds_mark(const char *bytes, size_t len)
{
    static const char gzip_with_name[] = {0x1f, (char)0x8b, 8, 8};
    const char *at = bytes;
    const char *end = bytes + len;
    while ((at = memmem(at, (size_t)(end - at), INITRD_MARK, sizeof INITRD_MARK))) {
        if (at - bytes >= 10 && memcmp(at - 10, gzip_with_name, sizeof gzip_with_name) == 0)
            return true;
        at++;
    }
    return false;
}

/*   cpio (microcode)   0…   cpio   0…   compressed cpio
 *   offsets of uncompressed ones are multiples of 4, zeros fill the gaps */
int initrd_scan(const void *initrd, size_t len, struct initrd *out, struct error *err)
{
    const char *bytes = initrd;
    if (len > INITRD_MAX)
        return error_set(err, "larger than %d MiB", INITRD_MAX >> 20);
    /* Nothing else matters then, and libarchive may stumble over what stands behind a stream. */
    out->baked = holds_mark(bytes, len);
    for (size_t at = 0; !out->baked;) {
        while (at < len && bytes[at] == '\0')
            at++;
        if (at == len)
            return 0;
        if (bytes[at] != '0')
            return scan_compressed(bytes + at, len - at, out, err);
        if (at % 4)
            return error_set(err, "damaged: a cpio archive at byte %zu, no multiple of 4", at);
        int more;
        while ((more = next_newc(bytes, len, &at, out, err)) > 0)
            ;
        if (more < 0)
            return -1;
    }
    return 0;
}
