#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/heap.h"
#include "builder/image/guestfs/guest.h"

enum { DEPTH_MAX = 512 };

static int zero_all(guestfs_h *g, const char *path, unsigned depth, struct error *err);

static int zero_below(guestfs_h *g, const char *path, unsigned depth, struct error *err)
{
    int result = 0;
    if (depth >= DEPTH_MAX)
        return error_set(err, "more than %d directories lie in each other", DEPTH_MAX);
    struct guestfs_dirent_list *list = guestfs_readdir(g, path);
    if (!list)
        return guest_error(g, err, "list %s", path);
    for (uint32_t i = 0; i < list->len && result == 0; i++) {
        const char *name = list->val[i].name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        char *child AUTO_FREE = heap_printf("%s/%s", path, name);
        result = zero_all(g, child, depth + 1, err);
    }
    guestfs_free_dirent_list(list);
    return result < 0 ? -1 : 0;
}

/* Files that have another name stay. */
static int zero_all(guestfs_h *g, const char *path, unsigned depth, struct error *err)
{
    struct guestfs_statns *st = guestfs_lstatns(g, path);
    if (!st)
        return guest_error(g, err, "%s", path);
    mode_t mode = (mode_t)st->st_mode;
    int64_t links = st->st_nlink, size = st->st_size;
    guestfs_free_statns(st);
    if (S_ISDIR(mode))
        return zero_below(g, path, depth, err);
    return S_ISREG(mode) && links == 1 ? guest_zero(g, path, size, err) : 0;
}

static int refuse_mounts(const struct disk_set *set, const char *path, struct error *err)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < set->layout.mount_count; i++) {
        const char *dir = set->layout.mounts[i].dir;
        if (strncmp(dir, path, len) == 0 && (!dir[len] || dir[len] == '/'))
            return error_set(err, "the file system %s is mounted there", dir);
    }
    return 0;
}

/* `rm` in the appliance would follow links above the name to the appliance itself. */
static int remove_at(guestfs_h *g, const char *above, const char *name, time_t mtime,
                     struct error *err)
{
    mode_t mode;
    char *real AUTO_FREE = guestfs_realpath(g, above);
    if (!real)
        return guest_error(g, err, "%s", above);
    char *path AUTO_FREE = heap_printf("%s/%s", real[1] ? real : "", name);
    int found = guest_look(g, path, &mode, err);
    if (found <= 0)
        return found;
    /* The zeros must reach the disk before the files go, or they never will. */
    if (zero_all(g, path, 0, err) < 0)
        return -1;
    if (guestfs_sync(g) < 0 || guestfs_rm_rf(g, path) < 0)
        return guest_error(g, err, "%s", path);
    return guest_set_directory_time(g, real, mtime, 0, err);
}

int guest_remove(struct disk *disk, const char *path, time_t mtime, struct error *err)
{
    mode_t mode;
    guestfs_h *g = disk->set->g;
    const char *name = strrchr(path, '/') + 1;
    char *above AUTO_FREE = heap_printf("%.*s", (int)(name - path), path);
    int found = guest_use(disk, err) < 0 || refuse_mounts(disk->set, path, err) < 0
                    ? -1
                    : guest_look(g, path, &mode, err);
    if (found > 0) {
        disk->written = true;
        disk->room_count = 0;
        found = remove_at(g, above, name, mtime, err);
    }
    return found < 0 ? error_context(err, "remove %s", path) : 0;
}
