#include "builder/image/oldgnu.h"

#include "builder/image/disk-fixture.h"
#include "common/buffer.h"

enum { UNIT = 65536, REGIONS_MAX = 100 };
static const uint64_t GIB = 1 << 30;

/* What GNU tar writes of the same file is what we write: headers, and where they end. */
static void check_against_tar(struct oldgnu_file file)
{
    char *mtime AUTO_FREE = heap_printf("--mtime=@%lld", (long long)file.mtime);
    make_disk(file.name, (off_t)file.size);
    for (size_t i = 0; i < file.count; i++)
        for (uint64_t at = 0; at < file.regions[i].n; at += UNIT)
            put_noise(file.name, (off_t)(file.regions[i].at + at), UNIT, at);
    RUN("tar", "--format=oldgnu", "-S", "--owner=root:0", "--group=root:0", "--mode=0644", mtime,
        "-cf", "by.tar", file.name);
    unsigned char ours[OLDGNU_BLOCK], theirs[OLDGNU_BLOCK];
    int fd AUTO_CLOSE = open("by.tar", O_RDONLY);
    for (size_t i = 0; i < oldgnu_blocks(&file); i++) {
        oldgnu_block(&file, i, ours);
        assert_int_equal(read(fd, theirs, sizeof theirs), sizeof theirs);
        assert_memory_equal(ours, theirs, sizeof ours);
    }
    /* Then comes what the first region holds, or the end. */
    int disk AUTO_CLOSE = open(file.name, O_RDONLY);
    off_t at = file.count ? (off_t)file.regions[0].at : 0;
    assert_int_equal(pread(disk, ours, sizeof ours, at), sizeof ours);
    assert_int_equal(read(fd, theirs, sizeof theirs), sizeof theirs);
    assert_memory_equal(ours, theirs, sizeof ours);
}

static void gnu_tar_writes_the_same(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 3, 4, 5, 24, 25, 26, 46, 100};
    struct oldgnu_region regions[REGIONS_MAX];
    for (size_t i = 0; i < REGIONS_MAX; i++)
        regions[i] = (struct oldgnu_region){.at = 3 * i * UNIT, .n = (1 + i % 2) * UNIT};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct oldgnu_file file = {.name = "disk.raw",
                                   .mtime = 1700000000,
                                   .size = GIB,
                                   .regions = regions,
                                   .count = counts[i]};
        check_against_tar(file);
    }
}

static void disks_may_end_in_data(void **state)
{
    (void)state;
    struct oldgnu_region regions[] = {{.at = 0, .n = UNIT}, {.at = GIB - UNIT, .n = UNIT}};
    struct oldgnu_file file = {.name = "disk.raw", .size = GIB, .regions = regions, .count = 2};
    check_against_tar(file);
    file = (struct oldgnu_file){.name = "d", .size = UNIT, .regions = regions, .count = 1};
    assert_int_equal(oldgnu_blocks(&file), 1);
}

/* 8 GiB is the first number that eleven octal digits cannot hold. */
static void large_numbers_are_written(void **state)
{
    (void)state;
    struct oldgnu_region regions[] = {{.at = 8 * GIB - UNIT, .n = UNIT},
                                      {.at = 8 * GIB + UNIT, .n = UNIT},
                                      {.at = 64 * GIB - 2 * UNIT, .n = UNIT}};
    struct oldgnu_file file = {
        .name = "disk.raw", .size = 64 * GIB, .regions = regions, .count = 3};
    check_against_tar(file);
    file.size = 8 * GIB;
    file.count = 1;
    unsigned char block[OLDGNU_BLOCK];
    oldgnu_block(&file, 0, block);
    assert_memory_equal(block + 483, "\x80\0\0\0\0\0\0\x02\0\0\0\0", 12);
    file.size = 8 * GIB - OLDGNU_BLOCK;
    file.count = 0;
    oldgnu_block(&file, 0, block);
    assert_memory_equal(block + 483, "77777777000", 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(gnu_tar_writes_the_same),
        IN_FOLDER(disks_may_end_in_data),
        IN_FOLDER(large_numbers_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
