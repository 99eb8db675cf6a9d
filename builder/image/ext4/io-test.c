/* What libext2fs may do to the disk: stay in its partition, and leave alone what it does not
 * change. */
#include <signal.h>
#include <sys/resource.h>

#include "builder/image/ext4/cache.h"
#include "builder/image/ext4/ext4-fixture.h"
#include "builder/image/ext4/io.h"

static int make_own_root(void **state)
{
    if (enter_folder(state) < 0)
        return -1;
    RUN("mkdir", "root");
    write_file("root/file", "content", 7);
    return 0;
}

static void refuse_open(struct blocks *blocks, struct partition partition, const char *message)
{
    struct error err = ERROR_INIT;
    ext2_filsys fs;
    assert_int_equal(ext4_fs_open(blocks, &partition, true, NOW, &fs, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
}

static void partitions_must_fit(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct blocks *blocks;
    make_disk("disk.raw", 8, "-t ext4", "root");
    RUN("cp", "disk.raw", "same.raw");
    struct disk_file file = {.path = "disk.raw"};
    assert_int_equal(blocks_open(&file, true, &blocks, &err), 0);
    uint64_t size = blocks_size(blocks);
    refuse_open(blocks, (struct partition){.number = 3, .start = MIB, .size = size},
                "partition 3 reaches behind the end of the disk");
    refuse_open(blocks, (struct partition){.number = 3, .start = size + 1}, "behind the end");
    refuse_open(blocks, (struct partition){.number = 3, .start = MIB, .size = 7 * MIB},
                "the file system is larger than its partition 3");
    refuse_open(blocks, (struct partition){.number = 3, .start = 0, .size = size},
                "open the file system of partition 3: Bad magic number");
    refuse_open(blocks, (struct partition){.number = 3, .start = MIB, .size = 1024},
                "outside of its partition");
    refuse_open(blocks, (struct partition){.number = 3}, "outside of its partition");
    assert_int_equal(blocks_close(blocks, &err), 0);
    expect_same("disk.raw", "same.raw");
}

static void bounds_are_kept(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char bytes[8192] = {0};
    make_disk("disk.raw", 8, "-t ext4", "root");
    struct disk *disk = open_disk("disk.raw", true);
    ext2_filsys fs = disk->volumes[0].fs;
    uint64_t end = 8 * MIB;
    assert_int_equal(ext4_io_write(fs, end - 1, bytes, 2, &err), -1);
    assert_int_equal(ext4_io_read(fs, end - 1, bytes, 2, &err), -1);
    assert_int_equal(ext4_io_zero(fs, UINT64_MAX, 2, &err), -1);
    assert_int_equal(ext4_io_copy(fs, end + 1, -1, 0, 0, &err), -1);
    assert_string_equal(err.text,
                        "the file system points at byte 8388609, outside of its partition");
    assert_int_equal(ext4_io_write(fs, end - 1, bytes, 1, &err), 0);
    errcode_t code = io_channel_write_blk64(fs->io, end / 4096, 1, bytes);
    assert_int_equal(ext4_error(&err, code, "write"), -1);
    assert_string_equal(err.text,
                        "write: the file system points at byte 8388608, outside of its partition");
    assert_int_not_equal(io_channel_write_blk64(fs->io, end / 4096 - 1, 2, bytes), 0);
    assert_int_not_equal(io_channel_write_blk64(fs->io, UINT64_MAX / 2, 1, bytes), 0);
    assert_int_not_equal(io_channel_read_blk64(fs->io, end / 4096, -1, bytes), 0);
    assert_int_not_equal(io_channel_write_byte(fs->io, end, 1, bytes), 0);
    /* The text is that of the last failure, and told once. */
    assert_int_equal(ext4_error(&err, EXT2_ET_BAD_MAGIC, "open"), -1);
    assert_int_equal(ext4_error(&err, EXT2_ET_DIR_CORRUPTED, "read"), -1);
    assert_string_equal(err.text, "read: EXT2 directory corrupted");
    close_disk(disk);
    guard_disk("disk.raw", true);
}

static struct timespec written_at(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mtim;
}

static void what_is_the_same_is_not_written(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    char bytes[8192], text[8] = "";
    make_disk("disk.raw", 8, "-t ext4", "root");
    struct timespec before = written_at("disk.raw");
    struct disk *disk = open_disk("disk.raw", true);
    ext2_filsys fs = disk->volumes[0].fs;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(io_channel_read_blk64(fs->io, 300, 2, bytes), 0);
        assert_int_equal(io_channel_write_blk64(fs->io, 300, 2, bytes), 0);
    }
    struct timespec after = written_at("disk.raw");
    assert_true(before.tv_sec == after.tv_sec && before.tv_nsec == after.tv_nsec);
    /* What goes past libext2fs is seen by it. */
    assert_int_equal(ext4_io_write(fs, 301 * 4096, "content", 8, &err), 0);
    assert_int_equal(io_channel_read_blk64(fs->io, 301, 1, bytes), 0);
    assert_string_equal(bytes, "content");
    assert_int_equal(ext4_io_zero(fs, 301 * 4096 + 2, 5, &err), 0);
    assert_int_equal(io_channel_read_blk64(fs->io, 301, 1, bytes), 0);
    assert_string_equal(bytes, "co");
    strcpy(bytes, "libext2fs");
    assert_int_equal(io_channel_write_blk64(fs->io, 301, 1, bytes), 0);
    assert_int_equal(ext4_io_read(fs, 301 * 4096 + 3, text, 6, &err), 0);
    assert_string_equal(text, "ext2fs");
    close_disk(disk);
}

/* The kernel, too, writes only the first superblock and descriptors. */
static void the_superblock_counts_no_writes(void **state)
{
    (void)state;
    make_disk("disk.raw", 24, "-t ext4 -b 1024", "root");
    RUN("cp", "disk.raw", "same.raw");
    close_disk(open_disk("disk.raw", false));
    close_disk(open_disk("disk.raw", true));
    expect_same("disk.raw", "same.raw");
    struct disk *disk = open_disk("disk.raw", true);
    uint64_t counted = disk->volumes[0].fs->super->s_kbytes_written;
    assert_true(counted > 0);
    put_text(disk, "/file", "other", 0644);
    close_disk(disk);
    disk = open_disk("disk.raw", false);
    const struct ext2_super_block *super = disk->volumes[0].fs->super;
    assert_int_equal(super->s_kbytes_written, counted);
    assert_int_equal(super->s_wtime, NOW);
    char *now AUTO_FREE = heap_array(MIB, 1), *before AUTO_FREE = heap_array(MIB, 1);
    struct error err = ERROR_INIT;
    struct disk *base = open_disk("same.raw", false);
    uint64_t backup = 8193 * 1024;
    assert_int_equal(ext4_io_read(disk->volumes[0].fs, backup, now, MIB, &err), 0);
    assert_int_equal(ext4_io_read(base->volumes[0].fs, backup, before, MIB, &err), 0);
    assert_memory_equal(now, before, MIB);
    close_disk(base);
    close_disk(disk);
}

/* What the host says reaches the user, also through libext2fs. */
static void failures_say_why(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct rlimit all, few;
    char *text AUTO_FREE = make_text("x", 4 * MIB);
    make_disk("disk.raw", 8, "-t ext4 -b 1024", "root");
    struct disk *disk = open_disk("disk.raw", true);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
    few = (struct rlimit){.rlim_cur = 4 * MIB, .rlim_max = all.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
    expect_refusal(disk, file_entry("/large", text, 0644),
                   "write /large: write disk.raw: File too large");
    few.rlim_cur = MIB;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
    assert_int_equal(ext4_fs_close(root_of(disk), &err), -1);
    assert_string_equal(err.text, "write the file system back: write disk.raw: File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    disk->volumes[0].fs = NULL;
    close_disk(disk);
}

static void blocks_share_slots(void **state)
{
    (void)state;
    struct cache cache = {.slots = 0};
    char block[1024] = "one";
    cache_reset(&cache, sizeof block);
    assert_null(cache_find(&cache, 0));
    cache_put(&cache, 7, block);
    strcpy(block, "two");
    cache_put(&cache, 8, block);
    assert_string_equal(cache_find(&cache, 7), "one");
    cache_put(&cache, 7 + cache.slots, block);
    assert_null(cache_find(&cache, 7));
    assert_string_equal(cache_find(&cache, 7 + cache.slots), "two");
    cache_drop(&cache, 8 * 1024 + 1023, 0);
    cache_drop(&cache, 7 * 1024, 1024);
    cache_drop(&cache, 9 * 1024, 1024);
    assert_non_null(cache_find(&cache, 8));
    cache_drop(&cache, 8 * 1024 + 1023, 1);
    assert_null(cache_find(&cache, 8));
    cache_reset(&cache, 4096);
    assert_null(cache_find(&cache, 7));
    cache_free(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_must_fit),
        cmocka_unit_test(bounds_are_kept),
        cmocka_unit_test(what_is_the_same_is_not_written),
        cmocka_unit_test(the_superblock_counts_no_writes),
        cmocka_unit_test(failures_say_why),
        cmocka_unit_test(blocks_share_slots),
    };
    return cmocka_run_group_tests(tests, make_own_root, remove_folder);
}
