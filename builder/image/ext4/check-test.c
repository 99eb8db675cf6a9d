/* Which file systems the ext4 writer edits, leaves to another writer, or refuses for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "builder/image/ext4/ext4.h"
#include "builder/image/partition-fixture.h"

enum { OFFSET = MIB, SIZE = 24 * MIB };

#define REPAIR "; boot it and shut it down cleanly, or run e2fsck on it"

static const struct partition partition = {.number = 3, .start = OFFSET, .size = SIZE};

/* A file system at its place in a disk. */
static void make_fs(const char *features, const char *block)
{
    make_empty("disk", "26M");
    RUN("mke2fs", "-q", "-F", "-t", "ext4", "-b", block, "-O", features, "-E",
        "offset=1048576,nodiscard", "disk", "24M");
}

/* The answer has to be that, and its reason. */
static void expect(int answer, const char *reason)
{
    struct error err = ERROR_INIT;
    struct blocks *blocks = open_raw("disk");
    int got = ext4_check(blocks, &partition, &err);
    ext2_filsys fs = NULL;
    /* What is accepted can be opened. */
    if (got > 0 &&
        (ext4_fs_open(blocks, &partition, false, 1, &fs, &err) < 0 || ext4_fs_close(fs, &err) < 0))
        fail_msg("%s", err.text);
    close_raw(blocks);
    if (got != answer || (answer < 1 && !strstr(err.text, reason)))
        fail_msg("%d and '%s', not %d and '%s'", got, err.text, answer, reason);
    assert_null(strchr(err.text, '\n'));
}

static void debugfs(const char *request)
{
    RUN("debugfs", "-w", "-R", request, "disk?offset=1048576");
}

static void usual_ones_are_accepted(void **state)
{
    (void)state;
    static const char *const variants[][2] = {
        {"^metadata_csum", "4096"}, /* bullseye and before; uninit_bg comes in */
        {"metadata_csum,64bit", "4096"},
        {"metadata_csum,64bit,metadata_csum_seed,orphan_file", "4096"}, /* trixie */
        {"metadata_csum,^64bit", "1024"},
        {"^extents,^64bit,^metadata_csum", "1024"},
        {"^resize_inode,meta_bg", "4096"},
        {"sparse_super2,^resize_inode", "4096"},
        {"^has_journal,^flex_bg", "2048"},
        {"fast_commit", "4096"},
        {"none", "4096"},
    };
    for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
        make_fs(variants[i][0], variants[i][1]);
        expect(1, "");
    }
    make_empty("disk", "26M");
    RUN("mke2fs", "-q", "-F", "-r", "0", "-E", "offset=1048576", "disk", "24M");
    expect(1, "");
}

static void some_are_for_another_writer(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"bigalloc", "bigalloc"},
        {"quota", "quota"},
        {"quota,project", "quota"},
        {"casefold", "casefold"},
        {"mmp", "mmp"},
        {"ea_inode", "ea_inode"},
        {"large_dir", "large_dir"},
        {"inline_data", "inline_data"},
        {"verity", "verity"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char reason[200];
        snprintf(reason, sizeof reason,
                 "the file system of partition 3: it has the feature %s, which is not kept up "
                 "here; --writer guestfs edits it",
                 cases[i][1]);
        make_fs(cases[i][0], "4096");
        expect(0, reason);
    }
}

static void states_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *request, *reason;
    } cases[] = {
        {"feature needs_recovery", "its journal needs recovery" REPAIR},
        {"ssv state 2", "it records errors; run e2fsck on it"},
        {"ssv state 3", "it records errors; run e2fsck on it"},
        {"ssv state 0", "it was not unmounted" REPAIR},
        {"ssv last_orphan 12", "it has deleted files that are not freed yet" REPAIR},
        {"feature orphan_present", "it has deleted files that are not freed yet" REPAIR},
        {"feature journal_dev", "it is the journal of another file system"},
        {"feature read-only", "tune2fs -O ^read-only"},
        {"feature shared_blocks", "e2fsck -E unshare_blocks"},
        {"ssv journal_dev 2049", "its journal is on another device"},
        {"ssv journal_uuid 11111111-2222-3333-4444-555555555555",
         "its journal is on another device"},
    };
    make_fs("metadata_csum", "4096");
    RUN("cp", "disk", "whole");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        RUN("cp", "whole", "disk");
        debugfs(cases[i].request);
        expect(-1, cases[i].reason);
    }
    make_fs("encrypt", "4096");
    expect(-1, "it may hold encrypted files (feature encrypt)");
    /* Nobody should edit it, even though only another writer could. */
    make_fs("quota", "4096");
    debugfs("feature needs_recovery");
    expect(-1, "its journal needs recovery");
}

/* Fields of the superblock of a file system without checksums, which are not those that could be.
 */
static void odd_superblocks_are_refused(void **state)
{
    (void)state;
#define FIELD(name)                                                                                \
    offsetof(struct ext2_super_block, name), sizeof(((struct ext2_super_block *)NULL)->name)
#define SIZES "its superblock contradicts itself"
    static const struct {
        size_t at, n;
        uint64_t value;
        int answer;
        const char *reason;
    } cases[] = {
        {FIELD(s_magic), 0xef54, -1, "it has no superblock"},
        {FIELD(s_log_block_size), 7, -1, SIZES},
        {FIELD(s_log_block_size), 0, -1, SIZES},
        {FIELD(s_log_block_size), UINT32_MAX, -1, SIZES},
        {FIELD(s_blocks_count), 6145, -1, SIZES},
        {FIELD(s_blocks_count), 0, -1, SIZES},
        {FIELD(s_blocks_count_hi), 1, -1, SIZES},
        {FIELD(s_first_data_block), 1, -1, SIZES},
        {FIELD(s_blocks_per_group), 0, -1, SIZES},
        {FIELD(s_blocks_per_group), 8, -1, SIZES},
        {FIELD(s_blocks_per_group), 32769, -1, SIZES},
        {FIELD(s_blocks_per_group), 65536, -1, SIZES},
        {FIELD(s_inodes_per_group), 0, -1, SIZES},
        {FIELD(s_inodes_per_group), 65536, -1, SIZES},
        {FIELD(s_inodes_count), 1, -1, SIZES},
        {FIELD(s_inode_size), 0, -1, SIZES},
        {FIELD(s_inode_size), 192, -1, SIZES},
        {FIELD(s_inode_size), 8192, -1, SIZES},
        {FIELD(s_desc_size), 0, -1, SIZES},
        {FIELD(s_desc_size), 48, -1, SIZES},
        {FIELD(s_desc_size), 8192, -1, SIZES},
        {FIELD(s_feature_incompat), 0x402c2, -1,
         "it has an unknown incompatible feature (0x40000)"},
        {FIELD(s_feature_ro_compat), 0x2004b, -1,
         "it has an unknown read-only compatible feature (0x20000)"},
        {FIELD(s_feature_compat), 0x203c, 0, "it has an unknown compatible feature (0x2000)"},
        {FIELD(s_rev_level), 2, -1, "it is of revision 2"},
    };
    make_fs("64bit,^metadata_csum,^uninit_bg", "4096");
    expect(1, "");
    RUN("cp", "disk", "whole");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        RUN("cp", "whole", "disk");
        poke_number("disk", OFFSET + 1024 + cases[i].at, cases[i].value, cases[i].n);
        expect(cases[i].answer, cases[i].reason);
    }
}

static void wrong_checksum_is_refused(void **state)
{
    (void)state;
    make_fs("metadata_csum", "4096");
    poke("disk", OFFSET + 1024 + offsetof(struct ext2_super_block, s_volume_name), "x", 1);
    expect(-1, "the checksum of its superblock is wrong; run e2fsck on it");
}

static void small_partitions_are_refused(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    make_fs("none", "4096");
    struct partition small = partition;
    struct blocks *blocks = open_raw("disk");
    small.size = SIZE - 1;
    assert_int_equal(ext4_check(blocks, &small, &err), -1);
    assert_non_null(strstr(err.text, "or the partition is too small for it"));
    small.size = 2047;
    assert_int_equal(ext4_check(blocks, &small, &err), -1);
    assert_non_null(strstr(err.text, "it is too small for a file system"));
    close_raw(blocks);
}

static void check_whole(const char *path, const char *reason)
{
    struct error err = ERROR_INIT;
    int result = ext4_check_whole(path, &partition, &err);
    if (reason ? result == 0 || !strstr(err.text, reason) : result < 0)
        fail_msg("%d and '%s', not '%s'", result, err.text, reason ? reason : "");
    assert_null(strchr(err.text, '\n'));
}

static void whole_file_systems_are_checked(void **state)
{
    (void)state;
    make_fs("metadata_csum", "4096");
    RUN("cp", "disk", "whole?a=b");
    /* It may have been written by a machine whose clock is ahead. */
    debugfs("ssv mtime 20370101000000");
    debugfs("ssv wtime 20370101000000");
    check_whole("disk", NULL);
    check_whole("whole?a=b", NULL);
    check_whole("absent", "open absent: No such file or directory");
    debugfs("sif <11> links_count 7");
    check_whole("disk", "the file system of partition 3 is not consistent: Inode 11 ref count is "
                        "7, should be 2; run e2fsck -f on it");
    RUN("cp", "whole?a=b", "disk");
    debugfs("freeb 100 200");
    check_whole("disk", "is not consistent: Block bitmap differences:  +(");
    RUN("cp", "whole?a=b", "disk");
    poke("disk", OFFSET, (char[4096]){0}, 4096);
    check_whole("disk", "is not consistent: ext2fs_open2: Bad magic number in super-block; run");
    /* What e2fsck says on its standard error only: it does not know a feature. */
    make_fs("^metadata_csum", "4096");
    poke_number("disk", OFFSET + 1024 + offsetof(struct ext2_super_block, s_feature_incompat),
                0x402c2, 4);
    check_whole("disk", "Get a newer version of e2fsck");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
    const struct CMUnitTest tests[] = {
        TEST(usual_ones_are_accepted),
        TEST(some_are_for_another_writer),
        TEST(states_are_refused),
        TEST(odd_superblocks_are_refused),
        TEST(wrong_checksum_is_refused),
        TEST(small_partitions_are_refused),
        TEST(whole_file_systems_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
