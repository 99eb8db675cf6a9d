#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "builder/image/ext4/ext4.h"
#include "builder/image/grow.h"
#include "builder/image/partition-fixture.h"

enum { NOW = 1700000000 };

/* The root is number 1 and last on the disk, as in cloud images; 15 stands before it. */
#define GPT                                                                                        \
    "label: gpt\nlabel-id: 0F0E0D0C-0000-4000-8000-000000000001\n"                                 \
    "15: start=2048, size=2048, uuid=11111111-AAAA-4222-8333-444444444415, name=EFI\n"             \
    "1: start=4096, size=57344, uuid=11111111-AAAA-4222-8333-444444444401, name=root\n"

#define MBR                                                                                        \
    "label: dos\nlabel-id: 0xdeadbeef\nstart=2048, size=2048, type=82\n"                           \
    "start=4096, size=61440, type=83, bootable\n"

/* A disk whose file system at 2 MiB holds a system and as many bytes of content. */
static void make_system(const char *script, const char *features)
{
    if (script)
        make_disk("disk", "32M", script);
    else
        make_empty("disk", "32M");
    RUN("mkdir", "-p", "root/usr/lib", "root/srv");
    RUN("cp", "/etc/os-release", "root/usr/lib/os-release");
    RUN("dd", "status=none", "if=/dev/zero", "of=root/srv/data", "bs=1M", "count=4");
    RUN("mke2fs", "-q", "-F", "-t", "ext4", "-O", features, "-b", "1024", "-d", "root", "-E",
        script ? "offset=2097152" : "nodiscard", "disk", "28M");
}

static void grow(const char *path, uint64_t size)
{
    struct error err = ERROR_INIT;
    struct stat st;
    if (image_grow(path, size, NOW, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, size);
}

static void refuse(uint64_t size, const char *message)
{
    struct error err = ERROR_INIT;
    struct stat before, after;
    assert_int_equal(stat("disk", &before), 0);
    assert_int_equal(image_grow("disk", size, NOW, &err), -1);
    assert_string_equal(err.text, message);
    /* Nothing was done yet. */
    assert_int_equal(stat("disk", &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

/* The partition, and the file system that fills it. */
static void expect_root(const char *path, unsigned number, uint64_t size)
{
    struct error err = ERROR_INIT;
    struct partitions all AUTO_PARTITIONS = {.count = 0};
    const struct partition *root;
    ext2_filsys fs = NULL;
    struct blocks *blocks = open_raw(path);
    if (partitions_read(blocks, &all, &err) < 0 ||
        ext4_find_root(blocks, &all, false, &root, &err) <= 0 ||
        ext4_fs_open(blocks, root, false, 1, &fs, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(root->number, number);
    assert_int_equal(root->size, size);
    uint64_t used = ext2fs_blocks_count(fs->super) * fs->blocksize;
    assert_in_range(used, size - 8 * 1024, size);
    assert_int_equal(ext4_fs_close(fs, &err), 0);
    close_raw(blocks);
    if (ext4_check_whole(path, root, &err) < 0)
        fail_msg("%s", err.text);
}

static void gpt_grows(void **state)
{
    (void)state;
    make_system(GPT, "metadata_csum");
    RUN("cp", "disk", "again");
    grow("disk", 80 * MIB);
    expect_root("disk", 1, 77 * MIB);
    RUN("sgdisk", "--verify", "disk");
    struct partitions all AUTO_PARTITIONS = {.count = 0};
    struct error err = ERROR_INIT;
    struct blocks *blocks = open_raw("disk");
    assert_int_equal(partitions_read(blocks, &all, &err), 0);
    close_raw(blocks);
    assert_string_equal(all.items[0].uuid, "11111111-aaaa-4222-8333-444444444401");
    assert_string_equal(all.items[0].name, "root");
    assert_string_equal(all.items[1].uuid, "11111111-aaaa-4222-8333-444444444415");
    /* The copy of the table is at the new end, that of the old end is no more. */
    char signature[8];
    peek("disk", 80 * MIB - 512, signature, sizeof signature);
    assert_memory_equal(signature, "EFI PART", 8);
    peek("disk", 32 * MIB - 512, signature, sizeof signature);
    assert_memory_equal(signature, "\0\0\0\0\0\0\0\0", 8);
    /* The same disk at another time: the same bytes. */
    sleep(1);
    grow("again", 80 * MIB);
    RUN("cmp", "disk", "again");
}

/* By less than what stands before the root, and with features of their own. */
static void little_growth_is_enough(void **state)
{
    (void)state;
    static const char *const features[] = {"^64bit,^metadata_csum", "^resize_inode,meta_bg",
                                           "metadata_csum_seed,orphan_file"};
    for (size_t i = 0; i < ARRAY_LEN(features); i++) {
        make_system(GPT, features[i]);
        grow("disk", 33 * MIB);
        expect_root("disk", 1, 30 * MIB);
    }
}

static void mbr_grows(void **state)
{
    (void)state;
    make_system(MBR, "none");
    RUN("cp", "disk", "again");
    grow("disk", 60 * MIB);
    expect_root("disk", 2, 58 * MIB);
    RUN("sfdisk", "--quiet", "--verify", "disk");
    grow("again", 60 * MIB);
    RUN("cmp", "disk", "again");
}

static void whole_disk_grows(void **state)
{
    (void)state;
    make_system(NULL, "none");
    grow("disk", 60 * MIB);
    expect_root("disk", 0, 60 * MIB);
}

/* Sizes that are not there in a test's folder: sparse. */
static void large_disks_are_grown(void **state)
{
    (void)state;
    make_system(GPT, "metadata_csum");
    grow("disk", 8ULL * 1024 * MIB);
    expect_root("disk", 1, (8ULL * 1024 - 3) * MIB);
    struct stat st;
    assert_int_equal(stat("disk", &st), 0);
    assert_in_range(st.st_blocks * 512, MIB, 64 * MIB);
}

static void what_is_left_alone(void **state)
{
    (void)state;
    make_system(GPT, "none");
    RUN("cp", "disk", "before");
    grow("disk", 32 * MIB);
    RUN("cmp", "disk", "before");
}

static void misfits_are_refused(void **state)
{
    (void)state;
    make_system(GPT, "none");
    refuse(31 * MIB, "grow disk: the disk has 33554432 bytes and cannot be made smaller "
                     "(32505856)");
    refuse(33 * MIB + 512, "grow disk: 34603520 bytes are no size for a disk: it has whole MiB, "
                           "at most 64 TiB");
    refuse((64ULL * 1024 * 1024 + 1) * MIB, "grow disk: 70368745226240 bytes are no size for a "
                                            "disk: it has whole MiB, at most 64 TiB");
    RUN("sgdisk", "-n", "7:61440:63487", "disk");
    refuse(64 * MIB, "grow disk: partition 7 stands behind the root: there is no room to grow");
    make_system(MBR, "none");
    refuse(3ULL * 1024 * 1024 * MIB, "grow disk: an MBR cannot tell of more than 2 TiB; use a base "
                                     "with a GPT");
    make_disk("disk", "32M", "label: dos\nstart=2048, type=5\nstart=4096, type=83\n");
    RUN("mke2fs", "-q", "-F", "-t", "ext4", "-d", "root", "-E", "offset=2097152", "disk", "28M");
    refuse(64 * MIB, "grow disk: the root is a logical partition (5), which cannot be grown");
    make_empty("disk", "32M");
    refuse(64 * MIB, "grow disk: no system: none of the 0 partitions is ext2-4 and has "
                     "/etc/os-release");
    struct error err = ERROR_INIT;
    assert_int_equal(image_grow("absent", MIB, NOW, &err), -1);
    assert_string_equal(err.text, "open absent: No such file or directory");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        TEST(gpt_grows),           TEST(little_growth_is_enough), TEST(mbr_grows),
        TEST(whole_disk_grows),    TEST(large_disks_are_grown),   TEST(what_is_left_alone),
        TEST(misfits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
