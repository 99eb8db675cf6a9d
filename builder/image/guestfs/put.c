#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/image/guestfs/guest.h"
#include "builder/progress.h"

enum { ZEROS_MAX = 1 << 20 };

static const char TEMPORARY[] = ".nodebake-put";

/* The path of something else in the same directory. */
static char *beside(const char *path, const char *name)
{
    return heap_printf("%.*s/%s", (int)(strrchr(path, '/') - path), path, name);
}

/* The directory that holds the path; the caller frees it. */
static char *parent_of(const char *path)
{
    size_t len = (size_t)(strrchr(path, '/') - path);
    return len ? heap_printf("%.*s", (int)len, path) : heap_copy("/");
}

static int make_directory(guestfs_h *g, const char *path, mode_t mode, struct error *err)
{
    /* mkdir obeys the umask of the daemon. */
    if (guestfs_mkdir(g, path) < 0 || guestfs_chmod(g, (int)mode, path) < 0)
        return guest_error(g, err, "make directory %s", path);
    return 0;
}

enum { NOT_CHANGED = -2 }; /* instead of nanoseconds */

/* What a put finds. */
struct before {
    bool there; /* something has the name: */
    mode_t mode;
    int64_t links, size;
    int64_t seconds, nanoseconds; /* time of the directory */
};

static int set_time(guestfs_h *g, const char *path, time_t mtime, struct error *err)
{
    if (guestfs_utimens(g, path, mtime, 0, mtime, 0) < 0)
        return guest_error(g, err, "set the time of %s", path);
    return 0;
}

/* The path may be a link to the directory, whose own time is not meant. */
int guest_set_directory_time(guestfs_h *g, const char *path, int64_t seconds, int64_t nanoseconds,
                             struct error *err)
{
    char *real AUTO_FREE = guestfs_realpath(g, path);
    if (!real || guestfs_utimens(g, real, 0, NOT_CHANGED, seconds, nanoseconds) < 0)
        return guest_error(g, err, "set the time of %s", path);
    return 0;
}

/* Is the path a directory, or a link to one? 1, 0 when nothing is there, or -1 for other things. */
static int is_directory(guestfs_h *g, const char *path, struct error *err)
{
    struct guestfs_statns *st = guestfs_statns(g, path);
    if (!st) {
        mode_t mode;
        int found = guestfs_last_errno(g) == ENOENT ? guest_look(g, path, &mode, err)
                                                    : guest_error(g, err, "%s", path);
        return found > 0 ? error_set(err, "%s is a link to nowhere", path) : found;
    }
    bool directory = S_ISDIR(st->st_mode);
    guestfs_free_statns(st);
    return directory ? 1 : error_set(err, "%s is there and is not a directory", path);
}

static int make_parents(guestfs_h *g, const char *path, time_t mtime, struct error *err)
{
    char *parent AUTO_FREE = parent_of(path);
    if (!parent[1])
        return 0;
    int found = is_directory(g, parent, err);
    if (found)
        return found > 0 ? 0 : -1;
    if (make_parents(g, parent, mtime, err) < 0 || make_directory(g, parent, 0755, err) < 0)
        return -1;
    char *above AUTO_FREE = parent_of(parent);
    return guest_set_directory_time(g, above, mtime, 0, err);
}

/* The owner first: chown clears set-id bits and capabilities. */
static int set_attributes(guestfs_h *g, const struct entry *entry, const char *path,
                          struct error *err)
{
    bool link = entry->type == ENTRY_LINK;
    int (*chown)(guestfs_h *, int, int, const char *) = link ? guestfs_lchown : guestfs_chown;
    if (chown(g, (int)entry->uid, (int)entry->gid, path) < 0 ||
        (!link && guestfs_chmod(g, (int)entry->mode, path) < 0))
        return guest_error(g, err, "set mode and owner of %s", entry->path);
    return guest_set_xattrs(g, entry, path, err);
}

/* What is there keeps the extended attributes that the entry does not name. */
static int put_directory(guestfs_h *g, const struct entry *entry, time_t mtime, struct error *err)
{
    char *parent AUTO_FREE = parent_of(entry->path);
    int found = is_directory(g, entry->path, err);
    if (found < 0)
        return -1;
    if (!found && (make_directory(g, entry->path, entry->mode, err) < 0 ||
                   guest_set_directory_time(g, parent, mtime, 0, err) < 0))
        return -1;
    if (set_attributes(g, entry, entry->path, err) < 0)
        return -1;
    return guest_set_directory_time(g, entry->path, mtime, 0, err);
}

/* link(2) would not say which of its two names is wrong. */
static int make_hardlink(guestfs_h *g, const struct entry *entry, const char *path,
                         struct error *err)
{
    mode_t mode;
    int found = guest_look(g, entry->target, &mode, err);
    if (found <= 0)
        return found < 0
                   ? -1
                   : error_set(err, "%s: its file %s is not there", entry->path, entry->target);
    if (S_ISDIR(mode))
        return error_set(err, "%s: %s is a directory, which has no hard links", entry->path,
                         entry->target);
    if (guestfs_ln(g, entry->target, path) < 0)
        return guest_error(g, err, "link %s to %s", entry->path, entry->target);
    return 0;
}

static int make_new(guestfs_h *g, const struct entry *entry, const char *path, time_t mtime,
                    struct upload *upload, struct error *err)
{
    if (entry->type == ENTRY_HARDLINK)
        return make_hardlink(g, entry, path, err);
    if (entry->type == ENTRY_LINK && guestfs_ln_s(g, entry->target, path) < 0)
        return guest_error(g, err, "link %s", entry->path);
    if (entry->type == ENTRY_FILE && guest_write_content(g, entry, path, upload, err) < 0)
        return -1;
    if (set_attributes(g, entry, path, err) < 0)
        return -1;
    return set_time(g, path, mtime, err);
}

int guest_zero(guestfs_h *g, const char *path, int64_t size, struct error *err)
{
    char *zeros AUTO_FREE = heap_array(ZEROS_MAX, 1);
    for (int64_t at = 0; at < size;) {
        int64_t left = size - at;
        int n = guestfs_pwrite(g, path, zeros, left < ZEROS_MAX ? (size_t)left : ZEROS_MAX, at);
        if (n <= 0)
            return guest_error(g, err, "zero the old %s", path);
        at += n;
    }
    return 0;
}

/* What only its owner could read, and is about to go, leaves nothing in the free blocks. It must
 * reach the disk before the file goes, or it never will. */
static int wipe(guestfs_h *g, const char *path, const struct before *old, struct error *err)
{
    int64_t size = old->size;
    if (!old->there || !S_ISREG(old->mode) || old->mode & 077 || old->links > 1 || size == 0)
        return 0;
    if (guest_zero(g, path, size, err) < 0)
        return -1;
    if (guestfs_sync(g) < 0)
        return guest_error(g, err, "zero the old %s", path);
    return 0;
}

static int look_before(guestfs_h *g, const char *path, struct before *old, struct error *err)
{
    char *parent AUTO_FREE = parent_of(path);
    struct guestfs_statns *directory = guestfs_statns(g, parent);
    if (!directory)
        return guest_error(g, err, "%s", parent);
    *old = (struct before){.seconds = directory->st_mtime_sec,
                           .nanoseconds = directory->st_mtime_nsec};
    guestfs_free_statns(directory);
    struct guestfs_statns *st = guestfs_lstatns(g, path);
    if (!st)
        return guestfs_last_errno(g) == ENOENT ? 0 : guest_error(g, err, "%s", path);
    old->there = true;
    old->mode = (mode_t)st->st_mode;
    old->links = st->st_nlink;
    old->size = st->st_size;
    guestfs_free_statns(st);
    return 0;
}

/* As the ext4 writer has it: a file of one name that gets other content is the same one, and its
 * directory is as it was. What else is put changes the directory. The appliance's clock is in
 * neither. */
static int set_parent_time(guestfs_h *g, const struct entry *entry, const struct before *old,
                           time_t mtime, struct error *err)
{
    char *parent AUTO_FREE = parent_of(entry->path);
    mode_t type = entry->type == ENTRY_LINK ? S_IFLNK : S_IFREG;
    if (old->there && old->links == 1 && (old->mode & S_IFMT) == type &&
        entry->type != ENTRY_HARDLINK)
        return guest_set_directory_time(g, parent, old->seconds, old->nanoseconds, err);
    return guest_set_directory_time(g, parent, mtime, 0, err);
}

/* Beside its place, then renamed: what cannot be written whole leaves the old file. */
static int put_replacing(guestfs_h *g, const struct entry *entry, time_t mtime,
                         struct upload *upload, struct error *err)
{
    struct before old = {.there = false};
    if (look_before(g, entry->path, &old, err) < 0)
        return -1;
    if (old.there && S_ISDIR(old.mode))
        return error_set(err, "%s is a directory, and cannot be replaced by a %s", entry->path,
                         entry_type_name(entry->type));
    char *temporary AUTO_FREE = beside(entry->path, TEMPORARY);
    if (make_new(g, entry, temporary, mtime, upload, err) < 0 ||
        wipe(g, entry->path, &old, err) < 0)
        goto failed;
    if (guestfs_rename(g, temporary, entry->path) < 0) {
        guest_error(g, err, "write %s", entry->path);
        goto failed;
    }
    /* Two names of one file are not renamed over each other. */
    if (entry->type == ENTRY_HARDLINK && guestfs_rm_f(g, temporary) < 0)
        return guest_error(g, err, "write %s", entry->path);
    return set_parent_time(g, entry, &old, mtime, err);
failed:
    guestfs_rm_f(g, temporary);
    return -1;
}

int guest_put(struct disk *disk, const struct entry *entry, time_t mtime, struct progress *progress,
              struct error *err)
{
    guestfs_h *g = disk->set->g;
    struct upload upload = {.progress = progress};
    if (entry_size(entry, &upload.size, err) < 0 || guest_use(disk, err) < 0)
        return -1;
    disk->written = true;
    disk->room_count = 0;
    if (make_parents(g, entry->path, mtime, err) < 0)
        return -1;
    if ((entry->type == ENTRY_DIR ? put_directory(g, entry, mtime, err)
                                  : put_replacing(g, entry, mtime, &upload, err)) < 0)
        return -1;
    progress_add(progress, upload.size - upload.shown);
    return 0;
}
