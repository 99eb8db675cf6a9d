/* What files hold and what they are, fetched out of the appliance. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/image/guestfs/guest.h"

enum { READ_CHUNK = 3 << 20 }; /* a call carries at most 4 MiB */

static int check_readable(guestfs_h *g, const char *path, size_t max, struct error *err)
{
    struct guestfs_statns *st = guestfs_statns(g, path);
    if (!st)
        return guest_error(g, err, "read %s", path);
    mode_t mode = (mode_t)st->st_mode;
    uint64_t size = (uint64_t)st->st_size;
    guestfs_free_statns(st);
    if (!S_ISREG(mode))
        return error_set(err, "read %s: not a regular file", path);
    if (size > max)
        return error_set(err, "read %s: larger than the %zu bytes allowed", path, max);
    return 0;
}

static int stream(struct disk *disk, const char *path, size_t max, disk_sink *sink, void *ctx,
                  struct error *err)
{
    guestfs_h *g = disk->set->g;
    if (guest_use(disk, err) < 0 || check_readable(g, path, max, err) < 0)
        return -1;
    for (size_t total = 0;;) {
        size_t n = 0;
        char *chunk AUTO_FREE = guestfs_pread(g, path, READ_CHUNK, (int64_t)total, &n);
        if (!chunk)
            return guest_error(g, err, "read %s", path);
        if (n == 0)
            return 0;
        total += n;
        int result = total > max ? error_set(err, "larger than the %zu bytes allowed", max)
                                 : sink(ctx, chunk, n, err);
        explicit_bzero(chunk, n);
        if (result < 0)
            return error_context(err, "read %s", path);
    }
}

int guest_stream(struct disk *disk, const char *path, disk_sink *sink, void *ctx, struct error *err)
{
    return stream(disk, path, SIZE_MAX, sink, ctx, err);
}

static int append(void *ctx, const void *bytes, size_t n, struct error *err)
{
    struct buffer *out = ctx;
    buffer_add(out, bytes, n);
    return out->overflow ? error_set(err, "larger than the memory for it") : 0;
}

int guest_read(struct disk *disk, const char *path, size_t max, struct buffer *out,
               struct error *err)
{
    return stream(disk, path, max, append, out, err);
}

static int add_xattrs(guestfs_h *g, const char *path, struct disk_item *out, struct error *err)
{
    struct guestfs_xattr_list *list = guestfs_lgetxattrs(g, path);
    if (!list)
        return guest_error(g, err, "extended attributes of %s", path);
    for (uint32_t i = 0; i < list->len; i++) {
        size_t n = list->val[i].attrval_len;
        struct xattr *x = APPEND(out->xattrs, out->xattr_count, out->xattr_cap);
        *x = (struct xattr){
            .name = heap_copy(list->val[i].attrname), .value = heap_array(n + 1, 1), .len = n};
        if (n)
            memcpy(x->value, list->val[i].attrval, n);
    }
    guestfs_free_xattr_list(list);
    return 0;
}

static int fill_item(guestfs_h *g, const char *path, struct disk_item *out, struct error *err)
{
    struct guestfs_statns *st = guestfs_lstatns(g, path);
    if (!st)
        return guest_error(g, err, "%s", path);
    out->mode = (mode_t)st->st_mode;
    out->uid = (uid_t)st->st_uid;
    out->gid = (gid_t)st->st_gid;
    out->size = (uint64_t)st->st_size;
    out->id = (uint64_t)st->st_dev << 32 ^ (uint64_t)st->st_ino;
    guestfs_free_statns(st);
    if (S_ISLNK(out->mode) && !(out->target = guestfs_readlink(g, path)))
        return guest_error(g, err, "%s", path);
    return add_xattrs(g, path, out, err);
}

int guest_look_at(struct disk *disk, const char *path, struct disk_item *out, struct error *err)
{
    mode_t mode;
    guestfs_h *g = disk->set->g;
    struct disk_item item AUTO_ITEM = {.target = NULL};
    int found = guest_use(disk, err) < 0 ? -1 : guest_look(g, path, &mode, err);
    if (found <= 0)
        return found;
    if (fill_item(g, path, &item, err) < 0)
        return -1;
    disk_item_sort(&item);
    *out = item;
    item = (struct disk_item){.target = NULL};
    return 1;
}
