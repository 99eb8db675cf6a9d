#include <stdlib.h>
#include <string.h>

#include "builder/heap.h"
#include "builder/image/ext4/ext4.h"
#include "builder/image/fstab.h"

enum { FSTAB_MAX = 64 * 1024 };

/* Adds a mount. 1, 0 or -1. */
static int add_volume(struct disk *disk, const char *dir, const struct partition *p,
                      struct error *err)
{
    for (size_t i = 0; i < disk->volume_count; i++) {
        const struct volume *other = &disk->volumes[i];
        if (strcmp(other->dir, dir) == 0)
            return error_set(err, "%s is mounted twice", dir);
        if (other->partition.number == p->number) {
            error_set(err, "partition %u is mounted at %s and at %s", p->number, other->dir, dir);
            return 0;
        }
    }
    /* Files may go into an ext2-4 file system only, and nobody puts any into the firmware's. */
    if (!ext4_is_ext(p) && (strcmp(p->fs, "vfat") != 0 || strcmp(dir, "/boot") == 0)) {
        error_set(err, "%s is %s, on partition %u; --writer guestfs edits it", dir,
                  *p->fs ? p->fs : "of an unknown kind", p->number);
        return 0;
    }
    if (disk->volume_count == VOLUMES_MAX) {
        error_set(err, "more than %d mounts in /etc/fstab", VOLUMES_MAX);
        return 0;
    }
    disk->volumes[disk->volume_count++] = (struct volume){.dir = heap_copy(dir), .partition = *p};
    return 1;
}

/* The directory without slashes too many: false when it has "." or ".." in it. */
static bool clean_dir(const char *dir, char clean[FSTAB_FIELD_MAX])
{
    size_t n = 0;
    while (*dir) {
        dir += strspn(dir, "/");
        size_t part = strcspn(dir, "/");
        if ((part == 1 || part == 2) && strncmp(dir, "..", part) == 0)
            return false;
        if (part) {
            clean[n++] = '/';
            memcpy(clean + n, dir, part);
            n += part;
        }
        dir += part;
    }
    clean[n] = '\0';
    return n > 0;
}

static int add_entry(struct disk *disk, const struct partitions *all,
                     const struct fstab_entry *entry, struct error *err)
{
    char dir[FSTAB_FIELD_MAX];
    if (!fstab_concerns_disk(entry))
        return 1;
    const struct partition *p = partitions_find(all, entry->spec);
    if (!p && fstab_has_option(entry, "nofail"))
        return 1;
    int answer = -1;
    if (!p)
        error_set(err, "%s for %s is not on the disk, or there twice", entry->spec, entry->dir);
    else if (!clean_dir(entry->dir, dir))
        error_set(err, "%s is no clean path", entry->dir);
    else
        answer = add_volume(disk, dir, p, err);
    if (answer <= 0)
        error_context(err, "/etc/fstab:%u", entry->line);
    return answer;
}

/* Reads /etc/fstab; one that is not there is empty. */
static int read_text(ext2_filsys fs, char text[FSTAB_MAX], unsigned *len, struct error *err)
{
    ext2_ino_t ino;
    struct ext2_inode inode;
    ext2_file_t file;
    *len = 0;
    errcode_t code = ext2fs_namei_follow(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, "/etc/fstab", &ino);
    if (code == EXT2_ET_FILE_NOT_FOUND || code == EXT2_ET_NO_DIRECTORY)
        return 0;
    code = code ? code : ext2fs_read_inode(fs, ino, &inode);
    if (!code && !LINUX_S_ISREG(inode.i_mode))
        return error_set(err, "read /etc/fstab: not a regular file");
    code = code ? code : ext2fs_file_open(fs, ino, 0, &file);
    if (code)
        return ext4_error(err, code, "read /etc/fstab");
    code = ext2fs_file_read(file, text, FSTAB_MAX, len);
    ext2fs_file_close(file);
    if (code)
        return ext4_error(err, code, "read /etc/fstab");
    if (*len == FSTAB_MAX)
        return error_set(err, "/etc/fstab: larger than %d bytes", FSTAB_MAX);
    return 0;
}

/* 1, 0 or -1. */
static int read_fstab(struct disk *disk, const struct partitions *all, struct error *err)
{
    unsigned len = 0;
    char *text AUTO_FREE = heap_array(FSTAB_MAX, 1);
    if (read_text(disk->volumes[0].fs, text, &len, err) < 0)
        return -1;
    struct fstab fstab = fstab_open(text, len);
    struct fstab_entry entry;
    int answer = 1, more = 1;
    while (answer > 0 && (more = fstab_next(&fstab, &entry, err)) > 0)
        answer = add_entry(disk, all, &entry, err);
    return more < 0 ? -1 : answer;
}

static int by_dir(const void *a, const void *b)
{
    return strcmp(((const struct volume *)a)->dir, ((const struct volume *)b)->dir);
}

/* 1, 0 or -1. */
static int open_to_edit(struct disk *disk, struct volume *volume, bool writable, struct error *err)
{
    int answer = ext4_check(disk->blocks, &volume->partition, err);
    if (answer <= 0)
        return answer;
    if (ext4_fs_open(disk->blocks, &volume->partition, writable, disk->now, &volume->fs, err) < 0)
        return -1;
    return 1;
}

static int open_volume(struct disk *disk, struct volume *volume, bool writable, struct error *err)
{
    if (volume->fs || !ext4_is_ext(&volume->partition))
        return 1;
    int answer = disk->remarks ? ext4_view_volume(disk->blocks, &volume->partition, volume->dir,
                                                  disk->remarks, &volume->fs, err)
                               : open_to_edit(disk, volume, writable, err);
    if (answer <= 0)
        error_context(err, "%s", volume->dir);
    return answer;
}

static int open_volumes(struct disk *disk, bool writable, struct error *err)
{
    const struct partition *root = NULL;
    struct partitions all AUTO_PARTITIONS = {.count = 0};
    if (partitions_read(disk->blocks, &all, err) < 0)
        return -1;
    int answer = ext4_find_root(disk->blocks, &all, disk->remarks != NULL, &root, err);
    if (answer <= 0)
        return answer;
    answer = add_volume(disk, "/", root, err);
    if (answer > 0)
        answer = open_volume(disk, &disk->volumes[0], writable, err);
    if (answer > 0)
        answer = read_fstab(disk, &all, err);
    if (answer > 0)
        qsort(disk->volumes, disk->volume_count, sizeof *disk->volumes, by_dir);
    for (size_t i = 0; answer > 0 && i < disk->volume_count; i++)
        answer = open_volume(disk, &disk->volumes[i], writable, err);
    return answer;
}

int ext4_open_system(struct disk *disk, bool writable, struct error *err)
{
    disk->volume_count = 0;
    int answer = open_volumes(disk, writable, err);
    if (answer > 0)
        return 1;
    struct error ignored = ERROR_INIT;
    if (ext4_close_system(disk, &ignored) < 0)
        return -1;
    return answer;
}

int ext4_close_system(struct disk *disk, struct error *err)
{
    int result = 0;
    while (disk->volume_count) {
        struct error later = ERROR_INIT;
        struct volume *volume = &disk->volumes[--disk->volume_count];
        if (ext4_fs_close(volume->fs, result < 0 ? &later : err) < 0)
            result = error_context(result < 0 ? &later : err, "%s", volume->dir);
        free(volume->dir);
        *volume = (struct volume){.dir = NULL};
    }
    return result;
}
