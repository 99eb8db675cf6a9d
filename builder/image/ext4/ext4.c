#include "builder/image/ext4/ext4.h"

#include <stdlib.h>

#include "builder/heap.h"
#include "builder/image/grow.h"

struct disk_set {
    struct disk *disks;
    size_t count;
};

static int close_disk(struct disk *disk, struct error *err)
{
    int result = ext4_close_system(disk, err);
    struct error later = ERROR_INIT;
    if (blocks_close(disk->blocks, result < 0 ? &later : err) < 0)
        result = -1;
    disk->blocks = NULL;
    return result;
}

/* 1, 0 and -1 as ext4_open_system. */
static int open_disk(const struct disk_file *file, bool writable, time_t now, struct disk *disk,
                     struct error *err)
{
    struct error ignored = ERROR_INIT;
    disk->now = now;
    if (blocks_open(file, writable, &disk->blocks, err) < 0)
        return -1;
    int answer = ext4_open_system(disk, writable, err);
    if (answer <= 0) {
        if (blocks_close(disk->blocks, &ignored) < 0)
            answer = -1;
        disk->blocks = NULL;
    }
    return answer;
}

static int suits(const struct disk_file *file, struct error *err)
{
    struct disk disk = {.volume_count = 0};
    int answer = open_disk(file, false, 1, &disk, err);
    if (answer > 0 && close_disk(&disk, err) < 0)
        return -1;
    return answer;
}

/* e2fsck opens the file itself: what is to be checked is noted, and the disk closed before. */
static int check(const struct disk_file *file, struct error *err)
{
    struct disk disk = {.volume_count = 0};
    struct partition partitions[VOLUMES_MAX];
    size_t n = 0;
    if (open_disk(file, false, 1, &disk, err) <= 0)
        return -1;
    for (size_t i = 0; i < disk.volume_count; i++)
        if (disk.volumes[i].fs)
            partitions[n++] = disk.volumes[i].partition;
    if (close_disk(&disk, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (ext4_check_whole(file->path, &partitions[i], err) < 0)
            return -1;
    return 0;
}

static int grow(const struct disk_file *file, uint64_t size, time_t now, struct error *err)
{
    return image_grow(file->path, size, now, err);
}

static int close_all(struct disk_set *set, struct error *err)
{
    int result = 0;
    for (size_t i = 0; set && i < set->count; i++) {
        struct error later = ERROR_INIT;
        if (close_disk(&set->disks[i], result < 0 ? &later : err) < 0)
            result = -1;
    }
    if (set)
        free(set->disks);
    free(set);
    return result;
}

static int open_all(const struct disk_file *files, size_t n, time_t now, struct disk **out,
                    struct disk_set **set, struct error *err)
{
    struct disk_set *s = heap_array(1, sizeof *s);
    s->disks = heap_array(n, sizeof *s->disks);
    for (size_t i = 0; i < n; i++) {
        if (open_disk(&files[i], true, now, &s->disks[i], err) <= 0) {
            struct error ignored = ERROR_INIT;
            if (close_all(s, &ignored) < 0)
                error_context(err, "%s", ignored.text);
            return -1;
        }
        out[i] = &s->disks[i];
        s->count++;
    }
    *set = s;
    return 0;
}

static int view(const struct disk_file *file, struct disk **out, struct disk_set **set,
                struct buffer *remarks, struct error *err)
{
    struct disk_set *s = heap_array(1, sizeof *s);
    s->disks = heap_array(1, sizeof *s->disks);
    s->disks[0].remarks = remarks;
    int answer = open_disk(file, false, 1, &s->disks[0], err);
    if (answer <= 0) {
        free(s->disks);
        free(s);
        return answer;
    }
    s->count = 1;
    *out = &s->disks[0];
    *set = s;
    return 1;
}

const struct disk_writer disk_writer_ext4 = {
    .name = "ext4",
    .in_place = true,
    .suits = suits,
    .check = check,
    .grow = grow,
    .open_all = open_all,
    .view = view,
    .close_all = close_all,
    .read = ext4_read,
    .stream = ext4_stream,
    .look = ext4_look,
    .list = ext4_list,
    .exists = ext4_exists,
    .space = ext4_space,
    .put = ext4_put,
    .remove = ext4_remove,
};
