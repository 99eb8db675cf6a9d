/* Partition tables and superblocks: a disk of 4 MiB that begins with the input, zeros behind it.
 * When its first byte, which belongs to the boot loader, is 'S', the checksums of its GPT are set
 * right first, for otherwise nothing behind them would ever be reached. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "builder/heap.h"
#include "builder/image/ext4/ext4.h"
#include "builder/image/partition.h"
#include "common/cleanup.h"
#include "common/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DISK = 4 << 20, HEADER = 512, HEADER_SIZE = 92, ENTRIES = 1024 };

static void require(int truth)
{
    if (!truth)
        abort();
}

static void seal(uint8_t *disk)
{
    uint32_t count, crc;
    memcpy(&count, disk + HEADER + 80, sizeof count);
    crc = (uint32_t)crc32(0, disk + ENTRIES, (count < 256 ? count : 256) * 128);
    memcpy(disk + HEADER + 88, &crc, sizeof crc);
    memset(disk + HEADER + 16, 0, sizeof crc);
    crc = (uint32_t)crc32(0, disk + HEADER, HEADER_SIZE);
    memcpy(disk + HEADER + 16, &crc, sizeof crc);
}

static int make_disk(const uint8_t *data, size_t size)
{
    uint8_t *start AUTO_FREE = heap_array(DISK, 1);
    size = size < DISK ? size : DISK;
    if (size)
        memcpy(start, data, size);
    if (*start == 'S')
        seal(start);
    int fd = memfd_create("disk", MFD_CLOEXEC);
    size_t used = size > ENTRIES ? size : ENTRIES;
    require(fd >= 0 && ftruncate(fd, DISK) == 0 && file_write_all(fd, start, used) == 0);
    return fd;
}

static void check_list(const struct partitions *all)
{
    require(all->count <= PARTITIONS_MAX);
    for (size_t i = 0; i < all->count; i++) {
        const struct partition *p = &all->items[i];
        require(p->size && p->start < DISK && p->size <= DISK - p->start);
        for (size_t j = 0; j < i; j++) {
            const struct partition *q = &all->items[j];
            require(q->number < p->number);
            require(q->start + q->size <= p->start || p->start + p->size <= q->start);
        }
        char spec[64];
        snprintf(spec, sizeof spec, p->number ? "/dev/sda%u" : "/dev/sda", p->number);
        require(partitions_find(all, spec) == p);
    }
}

static void read_file_systems(struct blocks *blocks, const struct partitions *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct error err = ERROR_INIT;
        ext2_filsys fs = NULL;
        int answer = ext4_check(blocks, &all->items[i], &err);
        require((answer > 0) == (err.text[0] == '\0'));
        if (answer > 0 && ext4_fs_open(blocks, &all->items[i], false, 1, &fs, &err) == 0)
            require(ext4_fs_close(fs, &err) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct error err = ERROR_INIT;
    struct partitions all AUTO_PARTITIONS = {.count = 0};
    struct disk disk = {.now = 1};
    int fd AUTO_CLOSE = make_disk(data, size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const struct disk_file file = {.path = path};
    require(blocks_open(&file, false, &disk.blocks, &err) == 0);
    if (partitions_read(disk.blocks, &all, &err) < 0) {
        require(err.text[0] != '\0');
    } else {
        require(err.text[0] == '\0');
        check_list(&all);
        read_file_systems(disk.blocks, &all);
    }
    err = (struct error)ERROR_INIT;
    int answer = ext4_open_system(&disk, false, &err);
    require((answer > 0) == (err.text[0] == '\0') && (answer > 0) == (disk.volume_count > 0));
    require(ext4_close_system(&disk, &err) == 0);
    require(blocks_close(disk.blocks, &err) == 0);
    return 0;
}
