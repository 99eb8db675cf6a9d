/* For tests: a folder that is written to as if it were the root of a disk. Links in it resolve
 * inside. Owners are set by root only. */
#ifndef NB_BUILDER_FOLDER_DISK_H
#define NB_BUILDER_FOLDER_DISK_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/disk.h"
#include "common/cleanup.h"
#include "common/file.h"

struct disk {
    int root;
    uint64_t room; /* bytes that are free; 0: many */
};

static inline int folder_open(const struct disk *disk, const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
    return (int)syscall(SYS_openat2, disk->root, path, &how, sizeof how);
}

/* The directory that the path lies in; its missing ones are made. */
static inline int folder_parent(const struct disk *disk, const char *path)
{
    char *dir AUTO_FREE = heap_printf("%.*s", (int)(strrchr(path, '/') - path), path);
    int fd = folder_open(disk, *dir ? dir : "/", O_RDONLY | O_DIRECTORY);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    int above AUTO_CLOSE = folder_parent(disk, dir);
    if (above < 0 || mkdirat(above, strrchr(dir, '/') + 1, 0755) < 0)
        return -1;
    return folder_open(disk, dir, O_RDONLY | O_DIRECTORY);
}

static inline int folder_exists(struct disk *disk, const char *path, struct error *err)
{
    int fd AUTO_CLOSE = folder_open(disk, path, O_PATH | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
        return error_errno(err, "%s", path);
    return fd >= 0;
}

static inline int folder_read(struct disk *disk, const char *path, size_t max, struct buffer *out,
                              struct error *err)
{
    int fd AUTO_CLOSE = folder_open(disk, path, O_RDONLY);
    if (fd < 0)
        return error_errno(err, "read %s", path);
    char *name AUTO_FREE = heap_printf("/proc/self/fd/%d", fd);
    return file_read(AT_FDCWD, name, max, out, err);
}

static inline int folder_list(struct disk *disk, const char *path, struct buffer *out,
                              struct error *err)
{
    int fd = folder_open(disk, path, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    (void)err;
    for (const struct dirent *e; dir && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            buffer_add(out, e->d_name, strlen(e->d_name) + 1);
    if (dir)
        closedir(dir);
    return 0;
}

static inline int folder_space(struct disk *disk, const char *dir, struct disk_space *space,
                               struct error *err)
{
    (void)dir, (void)err;
    *space =
        (struct disk_space){.bytes = disk->room ? disk->room : 1 << 30, .inodes = 1 << 20, .id = 1};
    return 0;
}

static inline int folder_make(int dir, const char *name, const struct entry *entry,
                              const struct disk *disk, struct error *err)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    int other AUTO_CLOSE = -1;
    switch (entry->type) {
    case ENTRY_DIR:
        return mkdirat(dir, name, 0700) < 0 && errno != EEXIST ? -1 : 0;
    case ENTRY_LINK:
        unlinkat(dir, name, 0);
        return symlinkat(entry->target, dir, name);
    case ENTRY_HARDLINK:
        unlinkat(dir, name, 0);
        other = folder_parent(disk, entry->target);
        return linkat(other, strrchr(entry->target, '/') + 1, dir, name, 0);
    default:
        if (entry->host && file_read(AT_FDCWD, entry->host, 64 << 20, &text, err) < 0)
            return -1;
        return file_stage(dir, name, entry->host ? text.data : entry->text,
                          entry->host ? text.len : entry->len, 0600, geteuid(), getegid(), err);
    }
}

static inline int folder_put(struct disk *disk, const struct entry *entry, time_t mtime,
                             struct progress *progress, struct error *err)
{
    const char *name = strrchr(entry->path, '/') + 1;
    const struct timespec times[2] = {{.tv_sec = mtime}, {.tv_sec = mtime}};
    int dir AUTO_CLOSE = folder_parent(disk, entry->path);
    (void)progress;
    if (dir < 0 || folder_make(dir, name, entry, disk, err) < 0)
        return *err->text ? -1 : error_errno(err, "write %s", entry->path);
    if (geteuid() == 0 && fchownat(dir, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "chown %s", entry->path);
    if (entry->type != ENTRY_LINK && fchmodat(dir, name, entry->mode, 0) < 0)
        return error_errno(err, "chmod %s", entry->path);
    if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, "time of %s", entry->path);
    return 0;
}

/* With all that is in it. */
static inline int folder_unlink(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *all = fd < 0 ? NULL : fdopendir(fd);
    int result = 0;
    for (const struct dirent *e; all && (e = readdir(all));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            result |= folder_unlink(fd, e->d_name);
    bool directory = all != NULL;
    if (all)
        closedir(all);
    return result | unlinkat(dir, name, directory ? AT_REMOVEDIR : 0);
}

static inline int folder_remove(struct disk *disk, const char *path, time_t mtime,
                                struct error *err)
{
    char *above AUTO_FREE = heap_printf("%.*s", (int)(strrchr(path, '/') + 1 - path), path);
    const struct timespec times[2] = {{.tv_sec = mtime}, {.tv_sec = mtime}};
    int found = folder_exists(disk, path, err);
    if (found <= 0)
        return found;
    int dir AUTO_CLOSE = folder_open(disk, above, O_RDONLY | O_DIRECTORY);
    if (dir < 0 || folder_unlink(dir, strrchr(path, '/') + 1) < 0 || futimens(dir, times) < 0)
        return error_errno(err, "remove %s", path);
    return 0;
}

static const struct disk_writer folder_writer = {.name = "folder",
                                                 .read = folder_read,
                                                 .list = folder_list,
                                                 .exists = folder_exists,
                                                 .space = folder_space,
                                                 .put = folder_put,
                                                 .remove = folder_remove};

#endif
