/* The content of files, sent into the appliance. */
#include <sys/mman.h>

#include "builder/heap.h"
#include "builder/image/guestfs/guest.h"
#include "builder/progress.h"
#include "common/cleanup.h"
#include "common/file.h"

/* A call carries at most 4 MiB; larger texts are uploaded. */
enum { WRITE_MAX = 2 << 20 };

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

int guest_write_content(guestfs_h *g, const struct entry *entry, const char *path,
                        struct upload *upload, struct error *err)
{
    if (entry->host) {
        if (upload_file(g, entry->host, path, upload) < 0)
            return guest_error(g, err, "write %s from %s", entry->path, entry->host);
        return 0;
    }
    if (entry->len > WRITE_MAX)
        return upload_memory(g, entry, path, upload, err);
    if (guestfs_write(g, path, entry->text, entry->len) < 0)
        return guest_error(g, err, "write %s", entry->path);
    return 0;
}
