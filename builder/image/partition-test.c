#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "builder/image/partition-fixture.h"
#include "builder/image/partition.h"

/* As a cloud image has it: the root is number 1 and lies behind the others. */
#define CLOUD                                                                                      \
    "label: gpt\nlabel-id: 0F0E0D0C-0000-4000-8000-000000000001\n"                                 \
    "1: start=36864, size=32768, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=\"r\xc3\xb6ot\"," \
    " uuid=11111111-AAAA-4222-8333-444444444444\n"                                                 \
    "14: start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649\n"                       \
    "15: start=4096, size=32768, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=EFI,"             \
    " uuid=5F3B0D2C-9A7C-4D52-8A1F-0E5B7D3C2A10\n"

static struct partitions read_disk(const char *path)
{
    struct error err = ERROR_INIT;
    struct partitions all = {.count = 0};
    struct blocks *blocks = open_raw(path);
    if (partitions_read(blocks, &all, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(err.text, "");
    close_raw(blocks);
    return all;
}

static void make_cloud_disk(void)
{
    make_disk("disk", "40M", CLOUD);
    RUN("mkfs.vfat", "--offset", "4096", "-i", "ABCD1234", "-n", "ESP", "disk", "16384");
    RUN("mke2fs", "-q", "-t", "ext4", "-E", "offset=18874368", "-L", "cloudimg-rootfs", "-U",
        "aaaaaaaa-2222-3333-4444-555555555555", "disk", "16M");
}

static void gpt_is_read(void **state)
{
    (void)state;
    make_cloud_disk();
    struct partitions all AUTO_PARTITIONS = read_disk("disk");
    assert_string_equal(all.table, "gpt");
    assert_int_equal(all.count, 3);
    const struct partition *root = &all.items[0], *bios = &all.items[1], *efi = &all.items[2];
    assert_int_equal(root->number, 1);
    assert_int_equal(root->start, 18 * MIB);
    assert_int_equal(root->size, 16 * MIB);
    assert_string_equal(root->type, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
    assert_string_equal(root->uuid, "11111111-aaaa-4222-8333-444444444444");
    assert_string_equal(root->name, "r\xc3\xb6ot");
    assert_string_equal(root->fs, "ext4");
    assert_string_equal(root->fs_label, "cloudimg-rootfs");
    assert_string_equal(root->fs_uuid, "aaaaaaaa-2222-3333-4444-555555555555");
    assert_int_equal(bios->number, 14);
    assert_string_equal(bios->fs, "");
    assert_string_equal(bios->name, "");
    assert_int_equal(efi->number, 15);
    assert_string_equal(efi->fs, "vfat");
    assert_string_equal(efi->fs_uuid, "ABCD-1234");
    assert_string_equal(efi->fs_label, "ESP");
}

static void mbr_is_read(void **state)
{
    (void)state;
    make_disk("disk", "64M",
              "label: dos\nlabel-id: 0xdeadbeef\nstart=2048, size=20480, type=83, bootable\n"
              "start=22528, size=104448, type=f\nstart=24576, size=20480, type=83\n"
              "start=47104, size=20480, type=82\n");
    RUN("mke2fs", "-q", "-t", "ext2", "-E", "offset=12582912", "disk", "8M");
    struct partitions all AUTO_PARTITIONS = read_disk("disk");
    assert_string_equal(all.table, "dos");
    assert_int_equal(all.count, 3);
    assert_int_equal(all.items[0].number, 1);
    assert_string_equal(all.items[0].type, "0x83");
    assert_string_equal(all.items[0].uuid, "deadbeef-01");
    assert_int_equal(all.items[1].number, 5);
    assert_int_equal(all.items[1].start, 12 * MIB);
    assert_int_equal(all.items[1].size, 10 * MIB);
    assert_string_equal(all.items[1].uuid, "deadbeef-05");
    assert_string_equal(all.items[1].fs, "ext2");
    assert_int_equal(all.items[2].number, 6);
    assert_string_equal(all.items[2].type, "0x82");
}

static void whole_disk_is_one_partition(void **state)
{
    (void)state;
    make_empty("disk", "8M");
    RUN("mke2fs", "-q", "-t", "ext3", "-L", "all", "disk");
    struct partitions all AUTO_PARTITIONS = read_disk("disk");
    assert_string_equal(all.table, "");
    assert_int_equal(all.count, 1);
    assert_int_equal(all.items[0].number, 0);
    assert_int_equal(all.items[0].size, 8 * MIB);
    assert_string_equal(all.items[0].fs, "ext3");
    assert_ptr_equal(partitions_find(&all, "LABEL=all"), all.items);
    assert_ptr_equal(partitions_find(&all, "/dev/vda"), all.items);
    assert_null(partitions_find(&all, "/dev/vda1"));
    /* A boot sector with an empty table is none. */
    poke("disk", 510, "\x55\xaa", 2);
    struct partitions same AUTO_PARTITIONS = read_disk("disk");
    assert_int_equal(same.count, 1);
    assert_string_equal(same.table, "");
    assert_string_equal(same.items[0].fs, "ext3");
}

static void nothing_may_be_there(void **state)
{
    (void)state;
    make_empty("disk", "1M");
    struct partitions blank AUTO_PARTITIONS = read_disk("disk");
    assert_int_equal(blank.count, 0);
    assert_string_equal(blank.table, "");
    make_disk("disk", "4M", "label: gpt\n");
    struct partitions empty AUTO_PARTITIONS = read_disk("disk");
    assert_int_equal(empty.count, 0);
    assert_string_equal(empty.table, "gpt");
}

/* A GPT of an odd size: 4 entries, the last one of them used, up to the last sector there is. */
static void odd_gpt_is_read(void **state)
{
    (void)state;
    make_disk("disk", "4M",
              "label: gpt\ntable-length: 4\nfirst-lba: 34\n4: start=34, size=8125, name=x\n");
    struct partitions all AUTO_PARTITIONS = read_disk("disk");
    assert_int_equal(all.count, 1);
    assert_int_equal(all.items[0].number, 4);
    assert_int_equal(all.items[0].start, 34 * 512);
    assert_int_equal(all.items[0].size, 8125 * 512);
}

static void two_superblocks_are_ambiguous(void **state)
{
    (void)state;
    make_disk("disk", "24M", "label: gpt\nstart=2048, size=40960\n");
    RUN("mke2fs", "-q", "-t", "ext4", "-E", "offset=1048576", "disk", "20M");
    /* What squashfs, version 4, has at its begin, where ext4 has nothing. */
    poke("disk", MIB, "hsqs", 4);
    poke_number("disk", MIB + 28, 4, 2);
    struct partitions all AUTO_PARTITIONS = read_disk("disk");
    assert_int_equal(all.count, 1);
    assert_string_equal(all.items[0].fs, PARTITION_AMBIGUOUS);
}

static struct partition items[] = {
    {.number = 1,
     .uuid = "11111111-aaaa-4222-8333-444444444444",
     .name = "root",
     .fs_uuid = "aaaaaaaa-2222-3333-4444-555555555555",
     .fs_label = "my data"},
    {.number = 15, .uuid = "deadbeef-0f", .fs_uuid = "ABCD-1234"},
    {.number = 2, .name = "twice", .fs_label = "ESP"},
    {.number = 3, .name = "twice", .uuid = "", .fs_label = "esp"},
};

static const struct {
    const char *spec;
    unsigned number; /* 0: none */
} specs[] = {
    {"UUID=aaaaaaaa-2222-3333-4444-555555555555", 1},
    {"UUID=AAAAAAAA-2222-3333-4444-555555555555", 1},
    {"UUID=\"aaaaaaaa-2222-3333-4444-555555555555\"", 1},
    {"UUID=abcd-1234", 15},
    {"UUID=abcd-123", 0},
    {"UUID=", 0},
    {"UUID=\"\"", 0},
    {"UUID=\"", 0},
    {"/dev/disk/by-uuid/ABCD-1234", 15},
    {"LABEL=my data", 1},
    {"LABEL='my data'", 1},
    {"LABEL=My Data", 0},
    {"LABEL=ESP", 2},
    {"LABEL=esp", 3},
    {"/dev/disk/by-label/my\\x20data", 1},
    {"/dev/disk/by-label/my\\x2", 0},
    {"PARTUUID=DEADBEEF-0F", 15},
    {"/dev/disk/by-partuuid/11111111-AAAA-4222-8333-444444444444", 1},
    {"PARTLABEL=root", 1},
    {"PARTLABEL=ROOT", 0},
    {"PARTLABEL=twice", 0},
    {"/dev/disk/by-partlabel/root", 1},
    {"/dev/sda1", 1},
    {"/dev/vda15", 15},
    {"/dev/xvda2", 2},
    {"/dev/nvme0n1p15", 15},
    {"/dev/mmcblk0p3", 3},
    {"/dev/sda", 0},
    {"/dev/sda4", 0},
    {"/dev/sda01", 0},
    {"/dev/sdb1", 0},
    {"/dev/sdaa1", 0},
    {"/dev/nvme0n11", 0},
    {"/dev/nvme1n1p1", 0},
    {"/dev/mapper/vg-root1", 0},
    {"/dev/disk/cloud/azure_resource-part1", 0},
    {"root", 0},
    {"", 0},
};

static void specs_are_found(void **state)
{
    (void)state;
    const struct partitions all = {.items = items, .count = ARRAY_LEN(items)};
    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        const struct partition *found = partitions_find(&all, specs[i].spec);
        if ((found ? found->number : 0) != specs[i].number)
            fail_msg("%s: %u", specs[i].spec, found ? found->number : 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        TEST(gpt_is_read),
        TEST(mbr_is_read),
        TEST(whole_disk_is_one_partition),
        TEST(nothing_may_be_there),
        TEST(odd_gpt_is_read),
        TEST(two_superblocks_are_ambiguous),
        cmocka_unit_test(specs_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
