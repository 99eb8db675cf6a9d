/* Logs of journals, in blocks of 1 KiB. When a byte of the superblock that nobody uses is 'S', its
 * checksum is set right first. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "builder/image/ext4/ext4.h"
#include "builder/image/ext4/log.h"
#include "fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCK = 1024, CHECKSUM = 252, MARK = 200 };

static void require(int truth)
{
    if (!truth)
        abort();
}

static void seal(char *super)
{
    memset(super + CHECKSUM, 0, 4);
    uint32_t sum = ext2fs_crc32c_le(~0U, (unsigned char *)super, BLOCK);
    for (int i = 0; i < 4; i++)
        super[CHECKSUM + i] = (char)(sum >> (24 - 8 * i));
}

static int read_block(void *ctx, uint32_t at, void *bytes, struct error *err)
{
    (void)err;
    memcpy(bytes, (const char *)ctx + (size_t)at * BLOCK, BLOCK);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < BLOCK)
        return 0;
    char *bytes = exact_copy(data, size);
    if (bytes[MARK] == 'S')
        seal(bytes);
    const struct log_file file = {
        .read = read_block, .ctx = bytes, .block_size = BLOCK, .blocks = (uint32_t)(size / BLOCK)};
    struct log_blocks found AUTO_LOG_BLOCKS = {.count = 0};
    struct error err = ERROR_INIT;
    int result = log_read(&file, &found, &err);
    require((result < 0) == (err.text[0] != '\0'));
    require(result == 0 || !found.count);
    for (size_t i = 0; i < found.count; i++) {
        require(found.items[i].at && found.items[i].at < file.blocks);
        require(!i || found.items[i - 1].block < found.items[i].block);
    }
    free(bytes);
    return 0;
}
