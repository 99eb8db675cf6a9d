#include "builder/image/grow.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/ext4/ext4.h"
#include "builder/process.h"
#include "common/cleanup.h"

#define MIB     (1ULL << 20)
#define LARGEST (64ULL << 40)

enum { SECTOR = 512, DEADLINE = 3600 };

/* Of an MBR, whose numbers of sectors have 32 bits. */
#define MBR_SECTORS_MAX 0xffffffffULL

static int check_size(uint64_t old, uint64_t size, struct error *err)
{
    if (size < old)
        return error_set(err, "the disk has %llu bytes and cannot be made smaller (%llu)",
                         (unsigned long long)old, (unsigned long long)size);
    if (size % MIB || size > LARGEST)
        return error_set(err, "%llu bytes are no size for a disk: it has whole MiB, at most 64 TiB",
                         (unsigned long long)size);
    return 0;
}

/* Finds root, and the kind of partition table that it stands in. */
static int find_root(const char *raw, struct partition *root, char table[PARTITION_TEXT_MAX],
                     struct error *err)
{
    struct disk disk = {.volume_count = 0};
    struct partitions all AUTO_PARTITIONS = {.count = 0};
    struct error later = ERROR_INIT;
    const struct disk_file file = {.path = raw};
    const struct partition *found = NULL;
    if (blocks_open(&file, false, &disk.blocks, err) < 0)
        return -1;
    int result = partitions_read(disk.blocks, &all, err);
    if (result == 0)
        result = ext4_find_root(disk.blocks, &all, false, &found, err) > 0 ? 0 : -1;
    if (blocks_close(disk.blocks, result < 0 ? &later : err) < 0)
        return -1;
    for (size_t i = 0; result == 0 && i < all.count; i++)
        if (all.items[i].start > found->start)
            return error_set(err, "partition %u stands behind the root: there is no room to grow",
                             all.items[i].number);
    if (result == 0) {
        *root = *found;
        memcpy(table, all.table, PARTITION_TEXT_MAX);
    }
    return result;
}

/* Sets the size that the root partition is to have. */
static int plan_partition(uint64_t disk, const char *table, struct partition *root,
                          struct error *err)
{
    bool gpt = strcmp(table, "gpt") == 0, mbr = strcmp(table, "dos") == 0;
    if (mbr && root->number > 4)
        return error_set(err, "the root is a logical partition (%u), which cannot be grown",
                         root->number);
    if (mbr && disk / SECTOR > MBR_SECTORS_MAX)
        return error_set(err, "an MBR cannot tell of more than 2 TiB; use a base with a GPT");
    /* Behind the partitions of a GPT lies its copy; a whole MiB keeps the end aligned. */
    uint64_t end = disk - (gpt ? MIB : 0);
    if (end < root->start + root->size)
        return error_set(err, "%llu bytes are not enough more", (unsigned long long)disk);
    root->size = (end - root->start) / SECTOR * SECTOR;
    return 0;
}

static int grow_partition(int fd, const struct partition *root, struct error *err)
{
    char *name AUTO_FREE = heap_printf("/proc/%d/fd/%d", (int)getpid(), fd);
    char *number AUTO_FREE = heap_printf("%u", root->number);
    char *input AUTO_FREE = heap_printf("size=%llu\n", (unsigned long long)root->size / SECTOR);
    /* It moves the copy of a GPT to the new end, too. */
    struct process p = {.argv = (const char *const[]){"sfdisk", "--quiet", "--no-reread",
                                                      "--no-tell-kernel", "--wipe", "never",
                                                      "--wipe-partitions", "never", "-N", number,
                                                      name, NULL},
                        .env = (const char *const[]){"LC_ALL=C", NULL},
                        .input = input,
                        .deadline = DEADLINE};
    return process_run(&p, NULL, err);
}

/* resize2fs cuts a regular file to the size of the file system, whatever its offset in the file;
 * but not one whose descriptor is 0, which it gets when its standard input is closed. The size is
 * looked at afterwards. */
static int grow_file_system(int fd, const struct partition *root, time_t now, struct error *err)
{
    struct stat before, after;
    char *name AUTO_FREE = ext4_tool_name(fd, root);
    char *time AUTO_FREE = heap_printf("E2FSPROGS_FAKE_TIME=%lld", (long long)(now ? now : 1));
    char *size AUTO_FREE = heap_printf("%lluK", (unsigned long long)root->size / 1024);
    struct process p = {.argv = (const char *const[]){"resize2fs", "-f", name, size, NULL},
                        .env = (const char *const[]){"LC_ALL=C", time, NULL},
                        .no_input = true,
                        .deadline = DEADLINE};
    if (fstat(fd, &before) < 0)
        return error_errno(err, "size of the disk");
    if (process_run(&p, NULL, err) < 0)
        return -1;
    if (fstat(fd, &after) < 0 || after.st_size != before.st_size)
        return error_set(err, "resize2fs changed the size of the disk");
    return 0;
}

/* What sfdisk wrote is what was meant. */
static int check_partition(const char *raw, const struct partition *wanted, struct error *err)
{
    char table[PARTITION_TEXT_MAX];
    struct partition root;
    if (find_root(raw, &root, table, err) < 0)
        return -1;
    if (root.number != wanted->number || root.start != wanted->start || root.size != wanted->size)
        return error_set(err, "sfdisk made partition %u another one than was asked for",
                         root.number);
    return 0;
}

static int grow(int fd, const char *raw, uint64_t size, time_t now, struct error *err)
{
    struct partition root;
    char table[PARTITION_TEXT_MAX];
    if (find_root(raw, &root, table, err) < 0)
        return -1;
    off_t end = (off_t)(root.start + root.size);
    if (plan_partition(size, table, &root, err) < 0)
        return -1;
    /* What was behind the root, the copy of a GPT, would be left over inside of it. */
    if (ftruncate(fd, end) < 0 || ftruncate(fd, (off_t)size) < 0)
        return error_errno(err, "%llu bytes", (unsigned long long)size);
    if (*table && (grow_partition(fd, &root, err) < 0 || check_partition(raw, &root, err) < 0))
        return -1;
    return grow_file_system(fd, &root, now, err);
}

int image_grow(const char *raw, uint64_t size, time_t now, struct error *err)
{
    struct stat st;
    int fd AUTO_CLOSE = open(raw, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, "open %s", raw);
    if ((uint64_t)st.st_size == size)
        return 0;
    if (check_size((uint64_t)st.st_size, size, err) < 0 || grow(fd, raw, size, now, err) < 0)
        return error_context(err, "grow %s", raw);
    return 0;
}
