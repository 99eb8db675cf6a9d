/* For tests of the libguestfs writer: root file systems made here, disks that hold them, and what
 * is put on them and expected there. */
#ifndef NB_BUILDER_GUEST_FIXTURE_H
#define NB_BUILDER_GUEST_FIXTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/image/guestfs/guest.h"
#include "builder/process.h"
#include "builder/progress.h"
#include "common/file.h"

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL}, NULL)

enum { MTIME = 1577836800 };

/* Where the root file system begins on the disks, for tools outside. */
#define ROOT_AT "?offset=33554432"

static char folder[] = "/tmp/nodebake-guestfs-XXXXXX";

static inline void run(const char *const *argv, struct buffer *out)
{
    struct error err = ERROR_INIT;
    struct process p = {.argv = argv, .out = out};
    if (process_run(&p, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void write_file(const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    if (file_publish(AT_FDCWD, path, text, strlen(text), 0644, &err) < 0)
        fail_msg("%s", err.text);
}

/* A root file system as a folder. */
static inline void make_root(const char *fstab)
{
    RUN("mkdir", "-p", "root/etc", "root/boot/efi", "root/usr/lib", "root/usr/sbin", "root/var",
        "root/run", "root/dev", "root/proc", "root/sys", "root/srv/full");
    write_file("root/etc/os-release", "ID=debian\nVERSION_ID=12\n");
    write_file("root/etc/fstab", fstab);
    write_file("root/srv/full/file", "old");
    RUN("cp", "/sbin/ldconfig", "root/usr/sbin/ldconfig");
    RUN("ln", "-s", "/run", "root/var/run");
    RUN("ln", "-s", "usr/lib", "root/lib");
    RUN("ln", "-s", "/nowhere", "root/srv/dangling");
    RUN("ln", "-s", "/etc/os-release", "root/srv/link");
}

/* Partition 1 at 32 MiB is the root, 15 at 4 MiB the EFI system. */
static inline void make_disk(const char *path)
{
    RUN("truncate", "-s", "160M", path);
    RUN("sgdisk", "-n", "14:2048:8191", "-t", "14:ef02", "-n", "15:8192:65535", "-t", "15:ef00",
        "-n", "1:65536:196607", "-u", "15:5f3b0d2c-9a7c-4d52-8a1f-0e5b7d3c2a10", path);
    RUN("mkfs.vfat", "--offset", "8192", "-i", "ABCD1234", path, "28672");
    RUN("mke2fs", "-q", "-t", "ext4", "-d", "root", "-E", "offset=33554432,root_owner=0:0", "-U",
        "11111111-2222-3333-4444-555555555555", path, "64M");
}

static inline void enter_folder(void)
{
    if (!mkdtemp(folder) || chdir(folder) < 0)
        fail_msg("no folder for the test");
}

static inline int remove_folder(void **state)
{
    (void)state;
    RUN("rm", "-r", folder);
    return 0;
}

/* Opens the images with the writer; the set is closed by the test. */
static inline struct disk_set *open_images(const struct disk_file *files, size_t n,
                                           struct disk **disks)
{
    struct error err = ERROR_INIT;
    struct disk_set *set = NULL;
    if (disk_writer_guestfs.open_all(files, n, MTIME, disks, &set, &err) < 0)
        fail_msg("%s", err.text);
    return set;
}

static inline void close_images(struct disk_set *set)
{
    struct error err = ERROR_INIT;
    if (disk_writer_guestfs.close_all(set, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void put(struct disk *disk, struct entry entry)
{
    struct error err = ERROR_INIT;
    if (disk_writer_guestfs.put(disk, &entry, MTIME, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void put_text(struct disk *disk, const char *path, const char *text, mode_t mode)
{
    put(disk, (struct entry){.path = (char *)path,
                             .type = ENTRY_FILE,
                             .mode = mode,
                             .text = (char *)text,
                             .len = strlen(text)});
}

static inline void refuse_put(struct disk *disk, struct entry entry, const char *message)
{
    struct error err = ERROR_INIT;
    assert_int_equal(disk_writer_guestfs.put(disk, &entry, MTIME, NULL, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
    assert_null(strchr(err.text, '\n'));
}

static inline void expect_text(struct disk *disk, const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    if (disk_writer_guestfs.read(disk, path, 4096, &out, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(out.data, text);
}

static inline void expect_exists(struct disk *disk, const char *path, int answer)
{
    struct error err = ERROR_INIT;
    assert_int_equal(disk_writer_guestfs.exists(disk, path, &err), answer);
}

/* The system of the disk, which need not be a copy of the others, cannot be found. */
static inline void refuse_system(struct disk *disk, const char *message)
{
    struct error err = ERROR_INIT;
    struct guest_layout layout = {.mount_count = 0};
    assert_int_equal(guest_leave(disk->set, &err), 0);
    assert_int_equal(guest_find_system(disk, &layout, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
    guest_layout_free(&layout);
}

#endif
