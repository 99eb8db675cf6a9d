#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/image/guestfs/guest.h"
#include "builder/progress.h"
#include "common/cleanup.h"
#include "common/file.h"

/* A call carries at most 4 MiB; larger texts are uploaded. */
enum { WRITE_MAX = 2 << 20 };

static const char TEMPORARY[] = ".nodebake-put";

/* The path of something else in the same directory. */
static char *beside(const char *path, const char *name)
{
    return heap_printf("%.*s/%s", (int)(strrchr(path, '/') - path), path, name);
}

static int make_directory(guestfs_h *g, const char *path, mode_t mode, time_t mtime,
                          struct error *err)
{
    /* mkdir obeys the umask of the daemon. */
    if (guestfs_mkdir(g, path) < 0 || guestfs_chmod(g, (int)mode, path) < 0 ||
        guestfs_utimens(g, path, mtime, 0, mtime, 0) < 0)
        return guest_error(g, err, "make directory %s", path);
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
    char *parent AUTO_FREE = heap_copy(path);
    *strrchr(parent, '/') = '\0';
    if (!*parent)
        return 0;
    int found = is_directory(g, parent, err);
    if (found)
        return found > 0 ? 0 : -1;
    if (make_parents(g, parent, mtime, err) < 0)
        return -1;
    return make_directory(g, parent, 0755, mtime, err);
}

static int put_directory(guestfs_h *g, const struct entry *entry, time_t mtime, struct error *err)
{
    int found = is_directory(g, entry->path, err);
    if (found < 0 || (!found && make_directory(g, entry->path, entry->mode, mtime, err) < 0))
        return -1;
    /* The owner first: chown clears set-id bits. */
    if (guestfs_chown(g, (int)entry->uid, (int)entry->gid, entry->path) < 0 ||
        guestfs_chmod(g, (int)entry->mode, entry->path) < 0 ||
        guestfs_utimens(g, entry->path, mtime, 0, mtime, 0) < 0)
        return guest_error(g, err, "set mode and owner of %s", entry->path);
    return 0;
}

/* How much of an upload has been shown already. */
struct upload {
    struct progress *progress; /* may be NULL */
    uint64_t size, shown;
};

static void show_upload(guestfs_h *g, void *opaque, uint64_t event, int handle, int flags,
                        const char *buf, size_t buf_len, const uint64_t *array, size_t array_len)
{
    struct upload *upload = opaque;
    (void)g, (void)event, (void)handle, (void)flags, (void)buf, (void)buf_len;
    if (array_len < 3 || array[2] <= upload->shown || array[2] > upload->size)
        return;
    progress_add(upload->progress, array[2] - upload->shown);
    upload->shown = array[2];
}

static int upload_file(guestfs_h *g, const char *from, const char *path, struct upload *upload)
{
    int handle = guestfs_set_event_callback(g, show_upload, GUESTFS_EVENT_PROGRESS, 0, upload);
    int result = guestfs_upload(g, from, path);
    if (handle >= 0)
        guestfs_delete_event_callback(g, handle);
    return result;
}

/* Through a file that has no name: what is in memory may be secret. */
static int upload_memory(guestfs_h *g, const struct entry *entry, const char *path,
                         struct upload *upload, struct error *err)
{
    int fd AUTO_CLOSE = memfd_create("nodebake", MFD_CLOEXEC);
    if (fd < 0 || file_write_all(fd, entry->text, entry->len) < 0)
        return error_errno(err, "memory for %s", entry->path);
    char *source AUTO_FREE = heap_printf("/proc/self/fd/%d", fd);
    if (upload_file(g, source, path, upload) < 0)
        return guest_error(g, err, "write %s", entry->path);
    return 0;
}

static int write_content(guestfs_h *g, const struct entry *entry, const char *path,
                         struct upload *upload, struct error *err)
{
    if (entry->type == ENTRY_LINK)
        return guestfs_ln_s(g, entry->target, path) < 0
                   ? guest_error(g, err, "link %s", entry->path)
                   : 0;
    if (entry->host)
        return upload_file(g, entry->host, path, upload) < 0
                   ? guest_error(g, err, "write %s from %s", entry->path, entry->host)
                   : 0;
    if (entry->len > WRITE_MAX)
        return upload_memory(g, entry, path, upload, err);
    return guestfs_write(g, path, entry->text, entry->len) < 0
               ? guest_error(g, err, "write %s", entry->path)
               : 0;
}

static int set_attributes(guestfs_h *g, const struct entry *entry, const char *path, time_t mtime,
                          struct error *err)
{
    if (guestfs_lchown(g, (int)entry->uid, (int)entry->gid, path) < 0 ||
        (entry->type != ENTRY_LINK && guestfs_chmod(g, (int)entry->mode, path) < 0) ||
        guestfs_utimens(g, path, mtime, 0, mtime, 0) < 0)
        return guest_error(g, err, "set mode and owner of %s", entry->path);
    return 0;
}

/* Beside its place, then renamed: what cannot be written whole leaves the old file. */
static int put_replacing(guestfs_h *g, const struct entry *entry, time_t mtime,
                         struct upload *upload, struct error *err)
{
    mode_t mode;
    int found = guest_look(g, entry->path, &mode, err);
    if (found < 0)
        return -1;
    if (found && S_ISDIR(mode))
        return error_set(err, "%s is a directory, and cannot be replaced by a %s", entry->path,
                         entry->type == ENTRY_LINK ? "link" : "file");
    char *temporary AUTO_FREE = beside(entry->path, TEMPORARY);
    if (write_content(g, entry, temporary, upload, err) < 0 ||
        set_attributes(g, entry, temporary, mtime, err) < 0)
        goto failed;
    if (guestfs_rename(g, temporary, entry->path) == 0)
        return 0;
    guest_error(g, err, "write %s", entry->path);
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
    int result = entry->type == ENTRY_DIR ? put_directory(g, entry, mtime, err)
                                          : put_replacing(g, entry, mtime, &upload, err);
    if (result == 0)
        progress_add(progress, upload.size - upload.shown);
    return result;
}
