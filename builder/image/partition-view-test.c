/* Disks that are no raw file are seen through copies of a few parts: the same partitions come
 * out, and little is read. The blocks here stand for those behind qemu-nbd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "builder/image/partition-fixture.h"
#include "builder/image/partition.h"

struct blocks {
    int fd;
    bool raw; /* may the descriptor be seen? */
    uint64_t size, read;
};

uint64_t blocks_size(const struct blocks *blocks)
{
    return blocks->size;
}

int blocks_fd(const struct blocks *blocks)
{
    return blocks->raw ? blocks->fd : -1;
}

int blocks_read(struct blocks *blocks, uint64_t at, void *bytes, size_t n, struct error *err)
{
    blocks->read += n;
    if (pread(blocks->fd, bytes, n, (off_t)at) != (ssize_t)n)
        return error_set(err, "cannot be read at %llu", (unsigned long long)at);
    return 0;
}

static struct blocks see(int fd, bool raw)
{
    return (struct blocks){.fd = fd, .raw = raw, .size = (uint64_t)lseek(fd, 0, SEEK_END)};
}

static struct partitions read_disk(struct blocks *blocks)
{
    struct error err = ERROR_INIT;
    struct partitions all = {.count = 0};
    if (partitions_read(blocks, &all, &err) < 0)
        fail_msg("%s", err.text);
    return all;
}

/* Compares what is seen both ways with each other, and with what should be. */
static void compare(const char *path, const char *const *kinds, size_t n)
{
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
    struct blocks raw = see(fd, true), other = see(fd, false);
    struct partitions one AUTO_PARTITIONS = read_disk(&raw);
    struct partitions two AUTO_PARTITIONS = read_disk(&other);
    assert_string_equal(one.table, two.table);
    assert_int_equal(one.count, n);
    assert_int_equal(two.count, n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(one.items[i].fs, kinds[i]);
        assert_memory_equal(&one.items[i], &two.items[i], sizeof one.items[i]);
    }
    assert_true(other.read < 5 * MIB);
}

static void gpt_is_seen(void **state)
{
    (void)state;
    make_disk("disk", "3G",
              "label: gpt\nstart=8192, size=4194304\nstart=4202496, size=131072\n"
              "start=4333568, size=65536\nstart=4399104, size=204800\n");
    RUN("mke2fs", "-q", "-t", "ext4", "-L", "root", "-E", "offset=4194304", "disk", "64M");
    RUN("mkfs.vfat", "-F", "32", "-s", "1", "-n", "ESP", "--offset", "4202496", "disk", "65536");
    poke("disk", 4333568ULL * 512 + 65536 + 64, "_BHRfS_M", 8); /* btrfs */
    /* A member of a RAID has its superblock, version 1.0, 8 KiB before its end. */
    uint64_t member = (4399104ULL + 204800) * 512 - 8192;
    poke_number("disk", member, 0xa92b4efc, 4);
    poke_number("disk", member + 4, 1, 4);
    poke_number("disk", member + 144, 204800 - 16, 8);
    static const char *const kinds[] = {"ext4", "vfat", "btrfs", "linux_raid_member"};
    compare("disk", kinds, 4);
}

static void logical_partitions_are_seen(void **state)
{
    (void)state;
    make_disk("disk", "3G",
              "label: dos\nstart=2048, size=20480, type=83\nstart=2099200, size=4192256, type=5\n"
              "start=3000000, size=20480, type=83\nstart=5000000, size=20480, type=83\n");
    RUN("mke2fs", "-q", "-t", "ext4", "-E", "offset=2560000000", "disk", "10M");
    compare("disk", (const char *const[]){"", "", "ext4"}, 3);
}

static void whole_disks_are_seen(void **state)
{
    (void)state;
    make_empty("disk", "1G");
    compare("disk", NULL, 0);
    RUN("mke2fs", "-q", "-t", "ext4", "disk");
    compare("disk", (const char *const[]){"ext4"}, 1);
}

static void unreadable_disks_are_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct partitions all = {.count = 0};
    make_empty("disk", "1M");
    int fd AUTO_CLOSE = open("disk", O_RDONLY | O_CLOEXEC);
    struct blocks blocks = see(fd, false);
    blocks.size *= 2;
    assert_int_equal(partitions_read(&blocks, &all, &err), -1);
    assert_string_equal(err.text, "cannot be read at 1048576");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        TEST(gpt_is_seen),
        TEST(logical_partitions_are_seen),
        TEST(whole_disks_are_seen),
        TEST(unreadable_disks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
