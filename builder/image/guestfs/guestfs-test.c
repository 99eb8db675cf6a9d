/* The libguestfs writer on disks made here: GPT, an EFI partition and an ext4 root without a
 * package manager. All tests share one launch; what they wrote is looked at from outside, too. */
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
#include "builder/image/kvm.h"
#include "builder/process.h"
#include "builder/progress.h"
#include "common/file.h"

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL}, NULL)

enum { MTIME = 1577836800, LARGE = 5 << 20 };

/* Where the root file system begins on the disks, for tools outside. */
#define ROOT_AT "?offset=33554432"

static const char *const IMAGES[] = {"one.raw", "two.raw", "blank.raw", "twins.raw", "lost.raw"};
enum { ONE, TWO, BLANK, TWINS, LOST, IMAGE_COUNT };

static char folder[] = "/tmp/nodebake-guestfs-XXXXXX";
static const struct disk_writer *writer;
static struct disk *disks[IMAGE_COUNT];
static struct disk_set *set;

static void run(const char *const *argv, struct buffer *out)
{
    struct error err = ERROR_INIT;
    struct process p = {.argv = argv, .out = out};
    if (process_run(&p, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static void write_file(const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    if (file_publish(AT_FDCWD, path, text, strlen(text), 0644, &err) < 0)
        fail_msg("%s", err.text);
}

/* A root file system as a folder. */
static void make_root(const char *fstab)
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
static void make_disk(const char *path)
{
    RUN("truncate", "-s", "160M", path);
    RUN("sgdisk", "-n", "14:2048:8191", "-t", "14:ef02", "-n", "15:8192:65535", "-t", "15:ef00",
        "-n", "1:65536:196607", "-u", "15:5f3b0d2c-9a7c-4d52-8a1f-0e5b7d3c2a10", path);
    RUN("mkfs.vfat", "--offset", "8192", "-i", "ABCD1234", path, "28672");
    RUN("mke2fs", "-q", "-t", "ext4", "-d", "root", "-E", "offset=33554432,root_owner=0:0", "-U",
        "11111111-2222-3333-4444-555555555555", path, "64M");
}

static int open_disks(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    make_root("UUID=11111111-2222-3333-4444-555555555555 / ext4 defaults 0 1\n"
              "PARTUUID=5f3b0d2c-9a7c-4d52-8a1f-0e5b7d3c2a10 /boot/efi vfat umask=0077 0 1\n"
              "LABEL=absent /mnt ext4 nofail 0 0\n"
              "tmpfs /tmp tmpfs defaults 0 0\n");
    make_disk(IMAGES[ONE]);
    RUN("cp", IMAGES[ONE], IMAGES[TWO]);
    RUN("truncate", "-s", "16M", IMAGES[BLANK]);
    RUN("cp", IMAGES[ONE], IMAGES[TWINS]);
    RUN("sgdisk", "-n", "2:196608:", IMAGES[TWINS]);
    RUN("mke2fs", "-q", "-t", "ext4", "-d", "root", "-E", "offset=100663296", IMAGES[TWINS], "40M");
    write_file("root/etc/fstab",
               "UUID=no-such / ext4\n/dev/vda15 /boot/efi vfat\nLABEL=x /srv xfs\n");
    make_disk(IMAGES[LOST]);
    writer = disk_writer_find("guestfs");
    assert_non_null(writer);
    struct disk_file files[IMAGE_COUNT];
    for (size_t i = 0; i < IMAGE_COUNT; i++)
        files[i] = (struct disk_file){.path = IMAGES[i]};
    if (writer->open_all(files, IMAGE_COUNT, MTIME, disks, &set, &err) < 0)
        fail_msg("%s", err.text);
    return 0;
}

static int remove_disks(void **state)
{
    (void)state;
    RUN("rm", "-r", folder);
    return 0;
}

static void put(struct disk *disk, struct entry entry)
{
    struct error err = ERROR_INIT;
    if (writer->put(disk, &entry, MTIME, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static void put_text(struct disk *disk, const char *path, const char *text, mode_t mode)
{
    put(disk, (struct entry){.path = (char *)path,
                             .type = ENTRY_FILE,
                             .mode = mode,
                             .text = (char *)text,
                             .len = strlen(text)});
}

static void refuse_put(struct entry entry, const char *message)
{
    struct error err = ERROR_INIT;
    assert_int_equal(writer->put(disks[ONE], &entry, MTIME, NULL, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
    assert_null(strchr(err.text, '\n'));
}

static void expect_text(struct disk *disk, const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    if (writer->read(disk, path, 4096, &out, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(out.data, text);
}

static void expect_exists(struct disk *disk, const char *path, int answer)
{
    struct error err = ERROR_INIT;
    assert_int_equal(writer->exists(disk, path, &err), answer);
}

static void refuse_read(const char *path, size_t max, const char *message)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    assert_int_equal(writer->read(disks[ONE], path, max, &out, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
}

static void disks_are_read(void **state)
{
    (void)state;
    expect_text(disks[ONE], "/etc/os-release", "ID=debian\nVERSION_ID=12\n");
    expect_text(disks[TWO], "/srv/link", "ID=debian\nVERSION_ID=12\n");
    refuse_read("/etc/os-release", 23, "/etc/os-release: larger than the 23 bytes allowed");
    refuse_read("/etc", 4096, "read /etc: not a regular file");
    refuse_read("/etc/absent", 4096, "read /etc/absent: libguestfs: ");
    expect_exists(disks[ONE], "/srv/dangling", 1);
    expect_exists(disks[ONE], "/srv/absent", 0);
    expect_exists(disks[ONE], "/etc/os-release/x", 0);
}

static void directories_are_listed(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer names AUTO_BUFFER = buffer_heap();
    assert_int_equal(writer->list(disks[ONE], "/srv", &names, &err), 0);
    static const char expected[] = "dangling\0full\0link";
    assert_int_equal(names.len, sizeof expected);
    assert_memory_equal(names.data, expected, sizeof expected);
    buffer_clear(&names);
    assert_int_equal(writer->list(disks[ONE], "/absent", &names, &err), 0);
    assert_int_equal(names.len, 0);
    assert_int_equal(writer->list(disks[ONE], "/etc/fstab", &names, &err), -1);
}

/* The EFI partition is mounted, too, that of the same disk. */
static void room_is_told(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct disk_space root, boot, efi;
    assert_int_equal(writer->space(disks[ONE], "/", &root, &err), 0);
    assert_int_equal(writer->space(disks[ONE], "/boot", &boot, &err), 0);
    assert_int_equal(writer->space(disks[ONE], "/boot/efi", &efi, &err), 0);
    assert_true(root.bytes > 10 << 20 && root.bytes < 64 << 20);
    assert_true(root.inodes > 1000);
    assert_true(root.id == boot.id && root.id != efi.id);
    assert_int_equal(writer->space(disks[ONE], "/boot/efi/not/there/yet", &boot, &err), 0);
    assert_true(boot.id == efi.id);
}

static void files_are_put(void **state)
{
    (void)state;
    char *large AUTO_FREE = heap_array(LARGE + 1, 1);
    memset(large, 'x', LARGE);
    write_file("host-file", large);
    put_text(disks[ONE], "/new/deep/secret", "key", 0600);
    put(disks[ONE], (struct entry){.path = "/new/large",
                                   .type = ENTRY_FILE,
                                   .mode = 04755,
                                   .uid = 7,
                                   .gid = 8,
                                   .text = large,
                                   .len = LARGE});
    put(disks[ONE],
        (struct entry){.path = "/new/host", .type = ENTRY_FILE, .mode = 0755, .host = "host-file"});
    put_text(disks[ONE], "/new/empty", "", 0644);
    put(disks[ONE], (struct entry){.path = "/var/lib/x", .type = ENTRY_DIR, .mode = 0700});
    put(disks[ONE],
        (struct entry){.path = "/new/link", .type = ENTRY_LINK, .uid = 3, .target = "/nowhere"});
    /* Last, for what is put into it changes its time. */
    put(disks[ONE], (struct entry){.path = "/new", .type = ENTRY_DIR, .mode = 0710, .gid = 5});
    expect_text(disks[ONE], "/new/deep/secret", "key");
    expect_text(disks[ONE], "/new/empty", "");
}

static void what_is_there_is_replaced(void **state)
{
    (void)state;
    put_text(disks[ONE], "/srv/link", "a file now", 0644);
    expect_text(disks[ONE], "/etc/os-release", "ID=debian\nVERSION_ID=12\n");
    expect_text(disks[ONE], "/srv/link", "a file now");
    put(disks[ONE], (struct entry){.path = "/srv/link", .type = ENTRY_LINK, .target = "full/file"});
    expect_text(disks[ONE], "/srv/link", "old");
    put_text(disks[ONE], "/srv/full/file", "new", 0644);
    expect_text(disks[ONE], "/srv/link", "new");
    put_text(disks[ONE], "/srv/dangling", "whole", 0644);
    expect_text(disks[ONE], "/srv/dangling", "whole");
    expect_exists(disks[ONE], "/nowhere", 0);
}

/* An absolute link leads into the same image; a directory put on a link to one goes through. */
static void parents_may_be_links(void **state)
{
    (void)state;
    put_text(disks[ONE], "/var/run/pid", "1", 0644);
    expect_text(disks[ONE], "/run/pid", "1");
    put(disks[ONE], (struct entry){.path = "/lib", .type = ENTRY_DIR, .mode = 0711});
    put_text(disks[ONE], "/lib/systemd/unit", "u", 0644);
    expect_text(disks[ONE], "/usr/lib/systemd/unit", "u");
}

static void misfits_are_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer names AUTO_BUFFER = buffer_heap();
    struct entry file = {.path = "/srv/full", .type = ENTRY_FILE, .text = "x", .len = 1};
    refuse_put(file, "/srv/full is a directory, and cannot be replaced by a file");
    struct entry link = {.path = "/srv/full", .type = ENTRY_LINK, .target = "x"};
    refuse_put(link, "/srv/full is a directory, and cannot be replaced by a link");
    struct entry dir = {.path = "/etc/fstab", .type = ENTRY_DIR, .mode = 0755};
    refuse_put(dir, "/etc/fstab is there and is not a directory");
    file.path = "/etc/fstab/x";
    refuse_put(file, "/etc/fstab is there and is not a directory");
    put(disks[ONE], (struct entry){.path = "/srv/lost", .type = ENTRY_LINK, .target = "/nowhere"});
    file.path = "/srv/lost/x";
    refuse_put(file, "/srv/lost is a link to nowhere");
    struct entry absent = {.path = "/srv/full/x", .type = ENTRY_FILE, .host = "no-such-file"};
    refuse_put(absent, "no-such-file: No such file");
    /* 64 MiB of partition cannot hold it; what is half written goes. */
    RUN("truncate", "-s", "80M", "too-large");
    absent.host = "too-large";
    refuse_put(absent, "write /srv/full/x from too-large: libguestfs: ");
    assert_int_equal(writer->list(disks[ONE], "/srv/full", &names, &err), 0);
    assert_int_equal(names.len, sizeof "file");
}

static void disks_stay_apart(void **state)
{
    (void)state;
    expect_exists(disks[TWO], "/new", 0);
    expect_exists(disks[TWO], "/run/pid", 0);
    expect_text(disks[TWO], "/srv/full/file", "old");
    put_text(disks[TWO], "/srv/full/file", "two", 0644);
    expect_text(disks[ONE], "/srv/full/file", "new");
    expect_text(disks[TWO], "/srv/full/file", "two");
}

static void programs_run_inside(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    static const char *const version[] = {"/usr/sbin/ldconfig", "--version", NULL};
    static const char *const absent[] = {"/usr/bin/absent", NULL};
    assert_int_equal(writer->run(disks[TWO], version, &out, &err), 0);
    assert_memory_equal(out.data, "ldconfig", 8);
    assert_int_equal(writer->run(disks[TWO], absent, &out, &err), -1);
    assert_non_null(strstr(err.text, "run /usr/bin/absent in the image: libguestfs: "));
}

static void refuse_system(struct disk *disk, const char *message)
{
    struct error err = ERROR_INIT;
    struct guest_mounts mounts = {.count = 0};
    assert_int_equal(guest_leave(set, &err), 0);
    assert_int_equal(guest_find_system(set->g, disk->device, &mounts, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
    for (size_t i = 0; i < mounts.count; i++) {
        free(mounts.items[i].partition);
        free(mounts.items[i].dir);
    }
    free(mounts.items);
}

static void disks_without_one_system_are_refused(void **state)
{
    (void)state;
    refuse_system(disks[BLANK], "the disk has no partition table that Linux knows");
    refuse_system(disks[TWINS], "two systems, on partitions 1 and 2: which one is meant?");
    refuse_system(disks[LOST], "/etc/fstab:3: LABEL=x for /srv is not on the disk");
}

static void expect_outside(const char *image, const char *request, const char *const *needles)
{
    struct buffer out AUTO_BUFFER = buffer_heap();
    char *device AUTO_FREE = heap_printf("%s" ROOT_AT, image);
    run((const char *const[]){"debugfs", "-R", request, device, NULL}, &out);
    for (; *needles; needles++)
        if (!strstr(out.data, *needles))
            fail_msg("%s: '%s' lacks '%s'", request, out.data, *needles);
}

/* Last: what stands on the disks when the appliance is gone. */
static void disks_are_whole_from_outside(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    if (writer->close_all(set, &err) < 0)
        fail_msg("%s", err.text);
    RUN("e2fsck", "-fn", "one.raw" ROOT_AT);
    RUN("e2fsck", "-fn", "two.raw" ROOT_AT);
#define EXPECT(request, ...)                                                                       \
    expect_outside("one.raw", request, (const char *const[]){__VA_ARGS__, NULL})
    EXPECT("stat /new/deep/secret", "Mode:  0600", "User:     0", "mtime: 0x5e0be100");
    EXPECT("stat /new/deep", "Mode:  0755", "User:     0");
    EXPECT("stat /new/large", "Mode:  04755", "User:     7   Group:     8", "Size: 5242880");
    EXPECT("stat /new/host", "Mode:  0755", "Size: 5242880", "mtime: 0x5e0be100");
    EXPECT("stat /new", "Type: directory", "Mode:  0710", "Group:     5", "mtime: 0x5e0be100");
    EXPECT("stat /var/lib/x", "Type: directory", "Mode:  0700", "mtime: 0x5e0be100");
    EXPECT("stat /new/link", "Type: symlink", "User:     3", "mtime: 0x5e0be100", "/nowhere");
    EXPECT("stat /usr/lib", "Type: directory", "Mode:  0711");
    EXPECT("stat /lib", "Type: symlink");
    EXPECT("cat /srv/full/file", "new");
    assert_int_equal(writer->close_all(NULL, &err), 0);
}

static void kernels_boot_in_emulation(void **state)
{
    (void)state;
    assert_true(accelerator_boots("tcg", 120));
    assert_false(accelerator_boots("no-such-accelerator", 120));
    /* The answer is kept, so that the second one takes no time and is the same. */
    assert_int_equal(kvm_works(), kvm_works());
}

int main(void)
{
    progress_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disks_are_read),
        cmocka_unit_test(directories_are_listed),
        cmocka_unit_test(room_is_told),
        cmocka_unit_test(files_are_put),
        cmocka_unit_test(what_is_there_is_replaced),
        cmocka_unit_test(parents_may_be_links),
        cmocka_unit_test(misfits_are_refused),
        cmocka_unit_test(disks_stay_apart),
        cmocka_unit_test(programs_run_inside),
        cmocka_unit_test(disks_without_one_system_are_refused),
        cmocka_unit_test(disks_are_whole_from_outside),
        cmocka_unit_test(kernels_boot_in_emulation),
    };
    return cmocka_run_group_tests(tests, open_disks, remove_disks);
}
