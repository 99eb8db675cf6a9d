/* The superblock is read here before libext2fs sees it: libext2fs says less clearly what it does
 * not take, and believes more of what a damaged superblock says. */
#include <stddef.h>
#include <string.h>

#include "builder/image/ext4/ext4.h"

#define REPAIR "; boot it and shut it down cleanly, or run e2fsck on it"

enum { SUPERBLOCK_AT = 1024, INODE_SIZE_MIN = 128, BLOCK_LOG_MAX = 6, GROUPS_MAX = 1 << 21 };

enum feature_set { COMPAT, INCOMPAT, RO_COMPAT, FEATURE_SETS };

/* What is kept up when files are put. All else is for the kernel, which libguestfs runs. */
static const uint32_t kept[FEATURE_SETS] = {
    [COMPAT] = EXT2_FEATURE_COMPAT_DIR_PREALLOC | EXT3_FEATURE_COMPAT_HAS_JOURNAL |
               EXT2_FEATURE_COMPAT_EXT_ATTR | EXT2_FEATURE_COMPAT_RESIZE_INODE |
               EXT2_FEATURE_COMPAT_DIR_INDEX | EXT4_FEATURE_COMPAT_SPARSE_SUPER2 |
               EXT4_FEATURE_COMPAT_FAST_COMMIT | EXT4_FEATURE_COMPAT_STABLE_INODES |
               EXT4_FEATURE_COMPAT_ORPHAN_FILE,
    [INCOMPAT] = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT2_FEATURE_INCOMPAT_META_BG |
                 EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT |
                 EXT4_FEATURE_INCOMPAT_FLEX_BG | EXT4_FEATURE_INCOMPAT_CSUM_SEED,
    [RO_COMPAT] = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
                  EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_GDT_CSUM |
                  EXT4_FEATURE_RO_COMPAT_DIR_NLINK | EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE |
                  EXT4_FEATURE_RO_COMPAT_METADATA_CSUM,
};

/* What may be there, too, when files are only read. */
static const uint32_t viewed[FEATURE_SETS] = {
    [COMPAT] = EXT2_FEATURE_COMPAT_EXCLUDE_BITMAP,
    [INCOMPAT] = EXT3_FEATURE_INCOMPAT_RECOVER | EXT4_FEATURE_INCOMPAT_MMP |
                 EXT4_FEATURE_INCOMPAT_EA_INODE | EXT4_FEATURE_INCOMPAT_INLINE_DATA,
    [RO_COMPAT] = EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT | EXT4_FEATURE_RO_COMPAT_READONLY |
                  EXT4_FEATURE_RO_COMPAT_SHARED_BLOCKS | EXT4_FEATURE_RO_COMPAT_QUOTA |
                  EXT4_FEATURE_RO_COMPAT_PROJECT | EXT4_FEATURE_RO_COMPAT_VERITY,
};

/* Features with a name, and `refusal` where nobody should edit a file system that has them. */
static const struct {
    enum feature_set set;
    uint32_t bit;
    const char *name, *refusal;
} known[] = {
    {INCOMPAT, EXT3_FEATURE_INCOMPAT_RECOVER, "needs_recovery",
     "its journal needs recovery" REPAIR},
    {INCOMPAT, EXT3_FEATURE_INCOMPAT_JOURNAL_DEV, "journal_dev",
     "it is the journal of another file system"},
    {INCOMPAT, EXT2_FEATURE_INCOMPAT_COMPRESSION, "compression", NULL},
    {INCOMPAT, EXT4_FEATURE_INCOMPAT_MMP, "mmp", NULL},
    {INCOMPAT, EXT4_FEATURE_INCOMPAT_EA_INODE, "ea_inode", NULL},
    {INCOMPAT, EXT4_FEATURE_INCOMPAT_DIRDATA, "dirdata", NULL},
    {INCOMPAT, EXT4_FEATURE_INCOMPAT_LARGEDIR, "large_dir", NULL},
    {INCOMPAT, EXT4_FEATURE_INCOMPAT_INLINE_DATA, "inline_data", NULL},
    {INCOMPAT, EXT4_FEATURE_INCOMPAT_ENCRYPT, "encrypt",
     "it may hold encrypted files (feature encrypt), which nobody can edit without their keys"},
    {INCOMPAT, EXT4_FEATURE_INCOMPAT_CASEFOLD, "casefold", NULL},
    {RO_COMPAT, EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT, "orphan_present",
     "it has deleted files that are not freed yet" REPAIR},
    {RO_COMPAT, EXT4_FEATURE_RO_COMPAT_READONLY, "read-only",
     "it is marked read-only; tune2fs -O ^read-only takes the mark away"},
    {RO_COMPAT, EXT4_FEATURE_RO_COMPAT_SHARED_BLOCKS, "shared_blocks",
     "its files share blocks, and it is read-only to Linux; e2fsck -E unshare_blocks ends that"},
    {RO_COMPAT, EXT4_FEATURE_RO_COMPAT_HAS_SNAPSHOT, "snapshot", NULL},
    {RO_COMPAT, EXT4_FEATURE_RO_COMPAT_QUOTA, "quota", NULL},
    {RO_COMPAT, EXT4_FEATURE_RO_COMPAT_BIGALLOC, "bigalloc", NULL},
    {RO_COMPAT, EXT4_FEATURE_RO_COMPAT_REPLICA, "replica", NULL},
    {RO_COMPAT, EXT4_FEATURE_RO_COMPAT_PROJECT, "project", NULL},
    {RO_COMPAT, EXT4_FEATURE_RO_COMPAT_VERITY, "verity", NULL},
    {COMPAT, EXT2_FEATURE_COMPAT_EXCLUDE_BITMAP, "snapshot_bitmap", NULL},
};

static uint32_t features(const struct ext2_super_block *sb, enum feature_set set)
{
    const uint32_t sets[] = {
        [COMPAT] = sb->s_feature_compat,
        [INCOMPAT] = sb->s_feature_incompat,
        [RO_COMPAT] = sb->s_feature_ro_compat,
    };
    return sets[set];
}

static bool whole(const struct ext2_super_block *sb)
{
    if (!(sb->s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_METADATA_CSUM))
        return true;
    const unsigned char *bytes = (const unsigned char *)sb;
    return sb->s_checksum_type == EXT2_CRC32C_CHKSUM &&
           sb->s_checksum ==
               ext2fs_crc32c_le(~0U, bytes, offsetof(struct ext2_super_block, s_checksum));
}

/* Do the sizes fit together, and into the partition? This bounds what libext2fs allocates. */
static bool sound(const struct ext2_super_block *sb, uint64_t partition)
{
    uint64_t blocks = sb->s_blocks_count;
    bool wide = sb->s_feature_incompat & EXT4_FEATURE_INCOMPAT_64BIT;
    if (wide)
        blocks |= (uint64_t)sb->s_blocks_count_hi << 32;
    if (sb->s_log_block_size > BLOCK_LOG_MAX)
        return false;
    uint32_t block = 1024U << sb->s_log_block_size;
    uint32_t inode = sb->s_rev_level ? sb->s_inode_size : INODE_SIZE_MIN;
    uint32_t descriptor = wide ? sb->s_desc_size : EXT2_MIN_DESC_SIZE;
    if (blocks > partition / block || sb->s_first_data_block > (block == 1024) ||
        blocks <= sb->s_first_data_block || inode < INODE_SIZE_MIN || inode > block ||
        inode & (inode - 1) || sb->s_blocks_per_group < 256 || sb->s_blocks_per_group % 8 ||
        sb->s_blocks_per_group > 8 * block || !sb->s_inodes_per_group ||
        sb->s_inodes_per_group > 8 * block || descriptor < EXT2_MIN_DESC_SIZE ||
        descriptor > block || descriptor & (descriptor - 1))
        return false;
    uint64_t groups =
        (blocks - sb->s_first_data_block + sb->s_blocks_per_group - 1) / sb->s_blocks_per_group;
    return groups <= GROUPS_MAX && groups * descriptor <= blocks * block &&
           groups * sb->s_inodes_per_group == sb->s_inodes_count;
}

static int check_magic(const struct ext2_super_block *sb, struct error *err)
{
    if (sb->s_magic != EXT2_SUPER_MAGIC)
        return error_set(err, "it has no superblock of ext2, ext3 or ext4");
    if (!whole(sb))
        return error_set(err, "the checksum of its superblock is wrong; run e2fsck on it");
    return 0;
}

static bool has_journal_elsewhere(const struct ext2_super_block *sb)
{
    static const unsigned char none[sizeof sb->s_journal_uuid];
    return sb->s_feature_compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL &&
           (sb->s_journal_dev || memcmp(sb->s_journal_uuid, none, sizeof none) != 0);
}

static int check_state(const struct ext2_super_block *sb, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].refusal && features(sb, known[i].set) & known[i].bit)
            return error_set(err, "%s", known[i].refusal);
    if (sb->s_state & EXT2_ERROR_FS)
        return error_set(err, "it records errors; run e2fsck on it");
    if (!(sb->s_state & EXT2_VALID_FS))
        return error_set(err, "it was not unmounted" REPAIR);
    if (sb->s_last_orphan)
        return error_set(err, "it has deleted files that are not freed yet" REPAIR);
    if (has_journal_elsewhere(sb))
        return error_set(err, "its journal is on another device; tune2fs -O ^has_journal takes "
                              "it away");
    return 0;
}

static const char *name_of(enum feature_set set, uint32_t bit)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].set == set && known[i].bit == bit)
            return known[i].name;
    return NULL;
}

/* 0 for features that Linux keeps up, -1 for those of which nobody here knows what they mean. */
static int refuse_feature(enum feature_set set, uint32_t bit, struct error *err)
{
    static const char *const sets[] = {"compatible", "incompatible", "read-only compatible"};
    const char *name = name_of(set, bit);
    if (name) {
        error_set(err,
                  "it has the feature %s, which is not kept up here; --writer guestfs edits it",
                  name);
        return 0;
    }
    error_set(err, "it has an unknown %s feature (0x%x)", sets[set], bit);
    return set == COMPAT ? 0 : -1;
}

/* 1, or 0 or -1 with the reason. `more` are features that are good, too, or NULL. */
static int check_features(const struct ext2_super_block *sb, const uint32_t *more,
                          struct error *err)
{
    if (sb->s_rev_level > EXT2_DYNAMIC_REV)
        return error_set(err, "it is of revision %u, which is unknown here", sb->s_rev_level);
    for (enum feature_set set = COMPAT; set < FEATURE_SETS; set++) {
        uint32_t other = features(sb, set) & ~(kept[set] | (more ? more[set] : 0));
        if (other)
            return refuse_feature(set, other & -other, err);
    }
    return 1;
}

static int check_sizes(const struct ext2_super_block *sb, uint64_t partition, struct error *err)
{
    if (!sound(sb, partition))
        return error_set(err, "its superblock contradicts itself, or the partition is too small "
                              "for it; run e2fsck on it");
    return 1;
}

/* Sizes come last: those of a feature that is unknown here are not ours to judge. */
static int check_to_edit(const struct ext2_super_block *sb, uint64_t partition, struct error *err)
{
    if (check_magic(sb, err) < 0 || check_state(sb, err) < 0)
        return -1;
    int answer = check_features(sb, NULL, err);
    return answer > 0 ? check_sizes(sb, partition, err) : answer;
}

static int check_to_view(const struct ext2_super_block *sb, uint64_t partition, unsigned *flaws,
                         struct error *err)
{
    if (check_magic(sb, err) < 0)
        return -1;
    if (sb->s_feature_incompat & EXT3_FEATURE_INCOMPAT_JOURNAL_DEV)
        return error_set(err, "it is the journal of another file system");
    int answer = check_features(sb, viewed, err);
    if (answer <= 0)
        return answer;
    bool journal = sb->s_feature_compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL;
    *flaws = (sb->s_feature_incompat & EXT3_FEATURE_INCOMPAT_RECOVER ? EXT4_NOT_RECOVERED : 0U) |
             (!journal && !(sb->s_state & EXT2_VALID_FS) ? EXT4_NOT_UNMOUNTED : 0U) |
             (sb->s_state & EXT2_ERROR_FS ? EXT4_HAS_ERRORS : 0U);
    return check_sizes(sb, partition, err);
}

static int read_superblock(struct blocks *blocks, const struct partition *partition,
                           struct ext2_super_block *sb, struct error *err)
{
    if (partition->size < SUPERBLOCK_AT + sizeof *sb)
        return error_set(err, "it is too small for a file system");
    return blocks_read(blocks, partition->start + SUPERBLOCK_AT, sb, sizeof *sb, err);
}

static int name_partition(const struct partition *partition, int answer, struct error *err)
{
    if (answer <= 0)
        error_context(err, "the file system of partition %u", partition->number);
    return answer;
}

int ext4_check(struct blocks *blocks, const struct partition *partition, struct error *err)
{
    struct ext2_super_block sb;
    int answer = read_superblock(blocks, partition, &sb, err) < 0
                     ? -1
                     : check_to_edit(&sb, partition->size, err);
    return name_partition(partition, answer, err);
}

int ext4_check_view(struct blocks *blocks, const struct partition *partition, unsigned *flaws,
                    struct error *err)
{
    struct ext2_super_block sb;
    int answer = read_superblock(blocks, partition, &sb, err) < 0
                     ? -1
                     : check_to_view(&sb, partition->size, flaws, err);
    return name_partition(partition, answer, err);
}
