/* Where the system lies on a disk, and what its fstab mounts. The disk of these tests:
 *
 *    MiB   1      9      13     17      21     25     29     40
 *    +----+------+------+------+-------+------+------+------+
 *    |    | 1    | 2    | 3    | 13    | 15   | 5    |      |
 *    |    | root | data | btrfs| boot  | EFI  | dirty|      |
 *    +----+------+------+------+-------+------+------+------+
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "builder/image/ext4/ext4.h"
#include "builder/image/partition-fixture.h"

#define TABLE                                                                                      \
    "label: gpt\n1: start=2048, size=16384\n2: start=18432, size=8192, name=data\n"                \
    "3: start=26624, size=8192\n13: start=34816, size=8192\n"                                      \
    "15: start=43008, size=8192, uuid=5F3B0D2C-9A7C-4D52-8A1F-0E5B7D3C2A10\n"                      \
    "5: start=51200, size=8192\n"

#define ROOT_TYPE "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"

static void write_file(const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    if (file_publish(AT_FDCWD, path, text, strlen(text), 0644, &err) < 0)
        fail_msg("%s", err.text);
}

/* A file system at a place in the disk, with what is in a folder. */
static void make_fs(const char *folder, unsigned mib, unsigned size, const char *label)
{
    char *extended AUTO_FREE = heap_printf("offset=%llu", mib * (unsigned long long)MIB);
    char *kib AUTO_FREE = heap_printf("%uK", size * 1024);
    RUN("mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", folder, "-L", label, "-E",
        extended, "disk", kib);
}

static void make_root(const char *fstab)
{
    RUN("mkdir", "-p", "root/etc", "root/usr/lib", "empty");
    write_file("root/usr/lib/os-release", "ID=debian\n");
    RUN("ln", "-sf", "../usr/lib/os-release", "root/etc/os-release");
    write_file("root/etc/fstab", fstab);
    make_fs("root", 1, 8, "");
}

static void make_parts(void)
{
    make_disk("disk", "40M", TABLE);
    make_root("");
    make_fs("empty", 9, 4, "data");
    poke("disk", 13 * MIB + 65536 + 64, "_BHRfS_M", 8);
    make_fs("empty", 17, 4, "boot");
    RUN("mkfs.vfat", "-n", "ESP", "--offset", "43008", "disk", "4096");
    make_fs("empty", 25, 4, "dirty");
    RUN("debugfs", "-w", "-R", "ssv state 0", "disk?offset=26214400");
}

/* What is found, as text: "/ /boot/efi*"; a star marks what is not opened. */
static int find(bool writable, struct buffer *found, struct error *err)
{
    struct blocks *blocks = NULL;
    const struct disk_file file = {.path = "disk"};
    if (blocks_open(&file, writable, &blocks, err) < 0)
        fail_msg("%s", err->text);
    struct disk disk = {.blocks = blocks, .now = 1};
    int answer = ext4_open_system(&disk, writable, err);
    assert_int_equal(answer > 0, disk.volume_count > 0);
    for (size_t i = 0; i < disk.volume_count; i++)
        buffer_printf(found, "%s%s%s", i ? " " : "", disk.volumes[i].dir,
                      disk.volumes[i].fs ? "" : "*");
    if (ext4_close_system(&disk, err) < 0)
        fail_msg("%s", err->text);
    assert_int_equal(disk.volume_count, 0);
    close_raw(blocks);
    return answer;
}

static void expect(int answer, const char *text)
{
    struct error err = ERROR_INIT;
    struct buffer found AUTO_BUFFER = buffer_heap();
    buffer_puts(&found, "");
    int got = find(true, &found, &err);
    if (got != answer || strcmp(got > 0 ? found.data : err.text, text) != 0)
        fail_msg("%d, '%s', '%s'; not %d, '%s'", got, found.data, err.text, answer, text);
}

static void mounts_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *fstab;
        int answer;
        const char *text;
    } cases[] = {
        {"", 1, "/"},
        {"LABEL=boot /boot ext4\nLABEL=ESP /boot/efi vfat\nPARTLABEL=data /srv ext4 nofail\n", 1,
         "/ /boot /boot/efi* /srv"},
        {"/dev/sda15 /boot/efi vfat\n/dev/vda13 /boot/ ext4\n", 1, "/ /boot /boot/efi*"},
        {"PARTUUID=5f3b0d2c-9a7c-4d52-8a1f-0e5b7d3c2a10 //efi// vfat\n", 1, "/ /efi*"},
        {"LABEL=absent /mnt ext4 nofail\n", 1, "/"},
        {"/dev/disk/cloud/azure_resource-part1 /mnt auto nofail\n", 1, "/"},
        {"LABEL=dirty /mnt ext4 noauto\n/dev/vda3 none swap\n", 1, "/"},
        {"LABEL=absent /mnt ext4\n", -1,
         "/etc/fstab:1: LABEL=absent for /mnt is not on the disk, or there twice"},
        {"\nLABEL=data /srv/../mnt ext4\n", -1, "/etc/fstab:2: /srv/../mnt is no clean path"},
        {"LABEL=data /srv ext4\nLABEL=boot /srv/ ext4\n", -1,
         "/etc/fstab:2: /srv is mounted twice"},
        {"LABEL=data\n", -1, "/etc/fstab:1: needs a device, a directory and a type"},
        {"LABEL=dirty /srv ext4\n", -1,
         "/srv: the file system of partition 5: it was not unmounted; boot it and shut it down "
         "cleanly, or run e2fsck on it"},
        {"LABEL=data /a ext4\nLABEL=data /b ext4\n", 0,
         "/etc/fstab:2: partition 2 is mounted at /a and at /b"},
        {"/dev/vda1 /again ext4\n", 0, "/etc/fstab:1: partition 1 is mounted at / and at /again"},
        {"/dev/vda3 /var btrfs\n", 0,
         "/etc/fstab:1: /var is btrfs, on partition 3; --writer guestfs edits it"},
        {"/dev/vda3 /boot btrfs\n", 0,
         "/etc/fstab:1: /boot is btrfs, on partition 3; --writer guestfs edits it"},
        {"/dev/vda15 /boot vfat\n", 0,
         "/etc/fstab:1: /boot is vfat, on partition 15; --writer guestfs edits it"},
    };
    make_parts();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        make_root(cases[i].fstab);
        expect(cases[i].answer, cases[i].text);
    }
}

static void features_are_for_another_writer(void **state)
{
    (void)state;
    make_parts();
    make_root("LABEL=boot /boot ext4\n");
    RUN("debugfs", "-w", "-R", "feature casefold", "disk?offset=17825792");
    expect(0, "/boot: the file system of partition 13: it has the feature casefold, which is not "
              "kept up here; --writer guestfs edits it");
    RUN("debugfs", "-w", "-R", "feature casefold", "disk?offset=1048576");
    /* That the dirty one holds no system cannot be known. */
    expect(-1, "the file system of partition 5: it was not unmounted; boot it and shut it down "
               "cleanly, or run e2fsck on it");
    RUN("debugfs", "-w", "-R", "ssv state 1", "disk?offset=26214400");
    expect(0, "the file system of partition 1: it has the feature casefold, which is not kept up "
              "here; --writer guestfs edits it");
}

static void fstab_may_be_odd(void **state)
{
    (void)state;
    make_parts();
    make_root("LABEL=data /srv ext4\n");
    RUN("mv", "root/etc/fstab", "root/usr/lib/fstab");
    RUN("ln", "-s", "/usr/lib/fstab", "root/etc/fstab");
    make_fs("root", 1, 8, "");
    expect(1, "/ /srv");
    RUN("rm", "root/etc/fstab");
    make_fs("root", 1, 8, "");
    expect(1, "/");
    RUN("mkdir", "root/etc/fstab");
    make_fs("root", 1, 8, "");
    expect(-1, "read /etc/fstab: not a regular file");
    RUN("rmdir", "root/etc/fstab");
    RUN("truncate", "-s", "64K", "root/etc/fstab");
    make_fs("root", 1, 8, "");
    expect(-1, "/etc/fstab: larger than 65536 bytes");
}

static void many_mounts_are_for_another_writer(void **state)
{
    (void)state;
    struct buffer script AUTO_BUFFER = buffer_heap(), fstab AUTO_BUFFER = buffer_heap();
    buffer_puts(&script, "label: gpt\n1: start=2048, size=16384\n");
    for (unsigned i = 2; i < 18; i++) {
        buffer_printf(&script, "%u: start=%u, size=2048\n", i, 2048 * (i + 7));
        buffer_printf(&fstab, "/dev/vda%u /mnt/%u ext4\n", i, i);
    }
    make_disk("disk", "40M", script.data);
    make_root(fstab.data);
    for (unsigned i = 2; i < 18; i++)
        make_fs("empty", i + 7, 1, "");
    expect(0, "/etc/fstab:16: more than 16 mounts in /etc/fstab");
}

static void two_systems_are_refused(void **state)
{
    (void)state;
    make_disk("disk", "40M", TABLE);
    make_root("");
    make_fs("root", 17, 4, "");
    expect(-1, "two systems, on partitions 1 and 13: which one is meant?");
    /* A mark breaks the tie, wherever it stands. */
    make_fs("root", 17, 4, "cloudimg-rootfs");
    expect(1, "/");
    make_fs("root", 9, 4, "");
    expect(1, "/");
    RUN("sgdisk", "-t", "1:" ROOT_TYPE, "disk");
    expect(-1, "two systems, on partitions 1 and 13: which one is meant?");
    make_fs("root", 17, 4, "");
    expect(1, "/");
}

static void disks_without_a_system(void **state)
{
    (void)state;
    make_empty("disk", "40M");
    expect(-1, "no system: none of the 0 partitions is ext2-4 and has /etc/os-release");
    make_disk("disk", "40M", TABLE);
    RUN("mkdir", "empty");
    make_fs("empty", 9, 4, "");
    expect(-1, "no system: none of the 6 partitions is ext2-4 and has /etc/os-release");
    poke("disk", 13 * MIB + 65536 + 64, "_BHRfS_M", 8);
    expect(0, "no ext2-4 file system holds a system, and partition 3 is btrfs");
    poke("disk", 17 * MIB, "LUKS\xba\xbe\0\1", 8);
    poke("disk", 13 * MIB + 65536 + 64, (char[8]){0}, 8);
    expect(0, "no ext2-4 file system holds a system, and partition 13 is crypto_LUKS");
    poke("disk", 512, "x", 1);
    expect(-1, "the GPT is damaged: no whole header in sector 1; sgdisk or gdisk repairs it from "
               "the copy at the disk's end");
}

/* Looking changes nothing, nor does opening for editing without an edit. */
static void disks_stay_as_they_are(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct buffer found AUTO_BUFFER = buffer_heap();
    make_parts();
    make_root("LABEL=boot /boot ext4\n");
    RUN("cp", "disk", "before");
    RUN("chmod", "0444", "disk");
    assert_int_equal(find(false, &found, &err), 1);
    assert_string_equal(found.data, "/ /boot");
    RUN("cmp", "disk", "before");
    RUN("chmod", "0644", "disk");
    expect(1, "/ /boot");
    RUN("cmp", "disk", "before");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        TEST(mounts_are_found),        TEST(features_are_for_another_writer),
        TEST(fstab_may_be_odd),        TEST(many_mounts_are_for_another_writer),
        TEST(two_systems_are_refused), TEST(disks_without_a_system),
        TEST(disks_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
