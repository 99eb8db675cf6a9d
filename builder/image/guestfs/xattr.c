/* Extended attributes. libguestfs takes their values as C strings. Values with a NUL, such as
 * capabilities, go into the appliance as those of an empty entry in a tar archive, and are copied
 * from there. */
#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/mman.h>

#include "builder/heap.h"
#include "builder/image/guestfs/guest.h"
#include "common/cleanup.h"

static const char CARRIER[] = ".nodebake-xattrs";

static void archive_free_at(struct archive **archive)
{
    archive_write_free(*archive);
}
#define AUTO_ARCHIVE __attribute__((cleanup(archive_free_at)))

static void entry_free_at(struct archive_entry **entry)
{
    archive_entry_free(*entry);
}
#define AUTO_ENTRY __attribute__((cleanup(entry_free_at)))

static bool has_nul(const struct entry *entry)
{
    for (size_t i = 0; i < entry->xattr_count; i++)
        if (entry->xattrs[i].len && memchr(entry->xattrs[i].value, '\0', entry->xattrs[i].len))
            return true;
    return false;
}

static int set_strings(guestfs_h *g, const struct entry *entry, const char *path, struct error *err)
{
    int (*set)(guestfs_h *, const char *, const char *, int, const char *) =
        entry->type == ENTRY_LINK ? guestfs_lsetxattr : guestfs_setxattr;
    for (size_t i = 0; i < entry->xattr_count; i++) {
        const struct xattr *x = &entry->xattrs[i];
        char *value AUTO_FREE = heap_printf("%.*s", (int)x->len, x->len ? x->value : "");
        if (set(g, x->name, value, (int)x->len, path) < 0)
            return guest_error(g, err, "set %s of %s", x->name, entry->path);
    }
    return 0;
}

/* Of the same type, for some attributes fit only one. */
static int write_carrier(int fd, const struct entry *entry, struct error *err)
{
    struct archive *archive AUTO_ARCHIVE = archive_write_new();
    struct archive_entry *carrier AUTO_ENTRY = archive_entry_new();
    if (!archive || !carrier)
        return error_set(err, "out of memory");
    archive_entry_set_pathname(carrier, CARRIER);
    archive_entry_set_filetype(carrier, entry->type == ENTRY_DIR ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(carrier, 0700);
    for (size_t i = 0; i < entry->xattr_count; i++)
        archive_entry_xattr_add_entry(carrier, entry->xattrs[i].name, entry->xattrs[i].value,
                                      entry->xattrs[i].len);
    if (archive_write_set_format_pax(archive) != ARCHIVE_OK ||
        archive_write_set_options(archive, "pax:xattrheader=SCHILY") != ARCHIVE_OK ||
        archive_write_open_fd(archive, fd) != ARCHIVE_OK ||
        archive_write_header(archive, carrier) != ARCHIVE_OK ||
        archive_write_close(archive) != ARCHIVE_OK)
        return error_set(err, "extended attributes of %s: %s", entry->path,
                         archive_error_string(archive));
    return 0;
}

static int remove_carrier(guestfs_h *g, const struct entry *entry, const char *path)
{
    return entry->type == ENTRY_DIR ? guestfs_rmdir(g, path) : guestfs_rm(g, path);
}

static int copy_from_carrier(guestfs_h *g, const struct entry *entry, const char *path,
                             struct error *err)
{
    int fd AUTO_CLOSE = memfd_create("nodebake", MFD_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "memory for %s", entry->path);
    if (write_carrier(fd, entry, err) < 0)
        return -1;
    /* tar runs outside of the image, where absolute links lead elsewhere. */
    char *parent AUTO_FREE = heap_printf("%.*s/", (int)(strrchr(path, '/') - path), path);
    char *real AUTO_FREE = guestfs_realpath(g, parent);
    if (!real)
        return guest_error(g, err, "%s", parent);
    char *tar AUTO_FREE = heap_printf("/proc/self/fd/%d", fd);
    char *carrier AUTO_FREE = heap_printf("%s/%s", real[1] ? real : "", CARRIER);
    if (guestfs_tar_in_opts(g, tar, real, GUESTFS_TAR_IN_OPTS_XATTRS, 1, -1) < 0 ||
        guestfs_copy_attributes(g, carrier, path, GUESTFS_COPY_ATTRIBUTES_XATTRIBUTES, 1, -1) < 0 ||
        remove_carrier(g, entry, carrier) < 0)
        return guest_error(g, err, "set the extended attributes of %s", entry->path);
    return 0;
}

int guest_set_xattrs(guestfs_h *g, const struct entry *entry, const char *path, struct error *err)
{
    if (!has_nul(entry))
        return set_strings(g, entry, path, err);
    if (entry->type == ENTRY_LINK)
        return error_set(err, "%s: libguestfs cannot set binary extended attributes of a link",
                         entry->path);
    return copy_from_carrier(g, entry, path, err);
}
