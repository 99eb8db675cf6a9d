#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/guestfs/guest.h"
#include "builder/image/kvm.h"
#include "builder/progress.h"

enum {
    LAUNCH_STEPS = 12 /* that libguestfs counts while it starts */
};

int guest_error(guestfs_h *g, struct error *err, const char *fmt, ...)
{
    const char *message = guestfs_last_error(g);
    char *line AUTO_FREE = heap_copy(message ? message : "no error message");
    size_t n = 0;
    for (const char *p = line; *p; p++) {
        bool space = *p == '\n' || *p == '\t' || *p == ' ';
        if (!space || (n && line[n - 1] != ' '))
            line[n++] = space ? ' ' : *p;
    }
    line[n] = '\0';
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": libguestfs: %s", line);
    return -1;
}

int guest_look(guestfs_h *g, const char *path, mode_t *mode, struct error *err)
{
    struct guestfs_statns *st = guestfs_lstatns(g, path);
    if (!st) {
        int reason = guestfs_last_errno(g);
        return reason == ENOENT || reason == ENOTDIR ? 0 : guest_error(g, err, "%s", path);
    }
    *mode = (mode_t)st->st_mode;
    guestfs_free_statns(st);
    return 1;
}

static void set_free(struct disk_set *set)
{
    if (!set)
        return;
    if (set->g)
        guestfs_close(set->g);
    for (size_t i = 0; i < set->count; i++)
        free(set->disks[i].device);
    guest_layout_free(&set->layout);
    free(set->disks);
    free(set);
}

static void set_free_at(struct disk_set **set)
{
    set_free(*set);
}
#define AUTO_SET __attribute__((cleanup(set_free_at)))

/* KVM only where it was seen to work; who sets LIBGUESTFS_BACKEND_SETTINGS knows better. */
static int choose_acceleration(guestfs_h *g, struct error *err)
{
    char *settings[] = {"force_tcg", NULL};
    const char *chosen = getenv("LIBGUESTFS_BACKEND_SETTINGS");
    if ((chosen && strstr(chosen, "force_")) || kvm_works())
        return 0;
    if (guestfs_set_backend_settings(g, settings) < 0)
        return guest_error(g, err, "set up");
    return 0;
}

static int configure(guestfs_h *g, struct error *err)
{
    guestfs_set_error_handler(g, NULL, NULL);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (guestfs_set_backend(g, "direct") < 0 || guestfs_set_network(g, 0) < 0 ||
        guestfs_set_smp(g, cpus > 1 ? 2 : 1) < 0)
        return guest_error(g, err, "set up");
    return choose_acceleration(g, err);
}

/* Writes need not survive a power cut here: the images are fsynced before they are published. */
static int add_images(guestfs_h *g, const struct disk_file *files, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (guestfs_add_drive_opts(g, files[i].path, GUESTFS_ADD_DRIVE_OPTS_FORMAT,
                                   files[i].qcow2 ? "qcow2" : "raw",
                                   GUESTFS_ADD_DRIVE_OPTS_CACHEMODE, "unsafe",
                                   GUESTFS_ADD_DRIVE_OPTS_DISCARD, "besteffort", -1) < 0)
            return guest_error(g, err, "%s", files[i].path);
    return 0;
}

/* What Linux writes when it mounts (a journal is recovered) goes to a temporary file of
 * libguestfs. */
static int add_to_view(guestfs_h *g, const struct disk_file *file, struct error *err)
{
    if (guestfs_add_drive_opts(g, file->path, GUESTFS_ADD_DRIVE_OPTS_FORMAT,
                               file->qcow2 ? "qcow2" : "raw", GUESTFS_ADD_DRIVE_OPTS_READONLY, 1,
                               -1) < 0)
        return guest_error(g, err, "%s", file->path);
    return 0;
}

static void show_launch(guestfs_h *g, void *progress, uint64_t event, int handle, int flags,
                        const char *buf, size_t buf_len, const uint64_t *array, size_t array_len)
{
    struct progress *p = progress;
    (void)g, (void)event, (void)handle, (void)flags, (void)buf, (void)buf_len;
    if (array_len >= 4 && array[2] > p->done && array[2] <= p->total)
        progress_add(p, array[2] - p->done);
}

static int launch(guestfs_h *g, size_t n, struct error *err)
{
    struct progress p =
        progress_start(LAUNCH_STEPS, "start the appliance with %zu disk%s", n, n == 1 ? "" : "s");
    int handle = guestfs_set_event_callback(g, show_launch, GUESTFS_EVENT_PROGRESS, 0, &p);
    int result = guestfs_launch(g);
    if (result < 0)
        guest_error(g, err, "start the appliance (libguestfs-test-tool tells more)");
    if (handle >= 0)
        guestfs_delete_event_callback(g, handle);
    progress_end(&p);
    return result;
}

/* The appliance names the disks in the order in which they were added. */
static int name_disks(struct disk_set *set, struct error *err)
{
    char **devices = guestfs_list_devices(set->g);
    if (!devices)
        return guest_error(set->g, err, "list the disks");
    size_t found = 0;
    for (; devices[found]; found++) {
        if (found < set->count)
            set->disks[found].device = devices[found];
        else
            free(devices[found]);
    }
    free(devices);
    if (found != set->count)
        return error_set(err, "the appliance shows %zu disks instead of %zu", found, set->count);
    return 0;
}

static int open_set(const struct disk_file *files, size_t n, bool writable, struct disk **out,
                    struct disk_set **set, struct error *err)
{
    struct disk_set *s AUTO_SET = heap_array(1, sizeof *s);
    s->disks = heap_array(n, sizeof *s->disks);
    s->count = n;
    s->g = guestfs_create();
    if (!s->g)
        return error_errno(err, "libguestfs");
    if (configure(s->g, err) < 0 ||
        (writable ? add_images(s->g, files, n, err) : add_to_view(s->g, files, err)) < 0 ||
        launch(s->g, n, err) < 0 || name_disks(s, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        s->disks[i].set = s;
        s->disks[i].qcow2 = files[i].qcow2;
        out[i] = &s->disks[i];
    }
    if (guest_find_system(&s->disks[0], &s->layout, err) < 0)
        return -1;
    *set = steal(s);
    return 0;
}

/* The kernel of the appliance has its own clock: `now` is not asked. */
static int open_all(const struct disk_file *files, size_t n, time_t now, struct disk **out,
                    struct disk_set **set, struct error *err)
{
    (void)now;
    if (n == 0)
        return error_set(err, "no image to open");
    return open_set(files, n, true, out, set, err);
}

/* Linux recovers a journal without a word. */
static int view(const struct disk_file *file, struct disk **out, struct disk_set **set,
                struct buffer *remarks, struct error *err)
{
    (void)remarks;
    if (open_set(file, 1, false, out, set, err) < 0)
        return -1;
    return 1;
}

static int close_all(struct disk_set *set, struct error *err)
{
    if (!set)
        return 0;
    int result = guest_leave(set, err);
    if (guestfs_shutdown(set->g) < 0 && result == 0)
        result = guest_error(set->g, err, "shut the appliance down");
    set_free(set);
    return result;
}

static int list(struct disk *disk, const char *path, struct buffer *out, struct error *err)
{
    guestfs_h *g = disk->set->g;
    if (guest_use(disk, err) < 0)
        return -1;
    char **names = guestfs_ls(g, path);
    if (!names)
        return guestfs_last_errno(g) == ENOENT ? 0 : guest_error(g, err, "list %s", path);
    for (char **name = names; *name; name++) {
        buffer_add(out, *name, strlen(*name) + 1);
        free(*name);
    }
    free(names);
    return 0;
}

static int exists(struct disk *disk, const char *path, struct error *err)
{
    mode_t mode;
    return guest_use(disk, err) < 0 ? -1 : guest_look(disk->set->g, path, &mode, err);
}

static int run(struct disk *disk, const char *const *argv, struct buffer *out, struct error *err)
{
    guestfs_h *g = disk->set->g;
    if (guest_use(disk, err) < 0)
        return -1;
    disk->written = true;
    disk->room_count = 0;
    char *text AUTO_FREE = guestfs_command(g, (char *const *)argv);
    if (!text)
        return guest_error(g, err, "run %s in the image", argv[0]);
    buffer_puts(out, text);
    return 0;
}

const struct disk_writer disk_writer_guestfs = {
    .name = "guestfs",
    .open_all = open_all,
    .view = view,
    .close_all = close_all,
    .read = guest_read,
    .stream = guest_stream,
    .look = guest_look_at,
    .list = list,
    .exists = exists,
    .space = guest_space,
    .put = guest_put,
    .remove = guest_remove,
    .run = run,
};
