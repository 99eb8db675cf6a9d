/* Disks for the tests of what reads them: made by the usual tools, then damaged by the byte. */
#ifndef NB_BUILDER_PARTITION_FIXTURE_H
#define NB_BUILDER_PARTITION_FIXTURE_H

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "builder/heap.h"
#include "builder/image/blocks.h"
#include "builder/process.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { KIB = 1024, MIB = 1024 * KIB };

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})
#define RUN(...)  run(ARGV(__VA_ARGS__), NULL)

/* Runs a tool; its input is a text, or NULL. */
static void run(const char *const *argv, const char *input)
{
    struct error err = ERROR_INIT;
    struct process p = {.argv = argv, .input = input, .env = ARGV("MKE2FS_SKIP_PROGRESS=1")};
    if (process_run(&p, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

/* Every test works in an empty folder of its own. */
static int enter_folder(void **state)
{
    char *folder = heap_copy("/tmp/nodebake-disk-XXXXXX");
    *state = folder;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    RUN("rm", "-r", *state);
    free(*state);
    return chdir("/");
}

/* An empty, sparse disk, replacing one of that name. */
static inline void make_empty(const char *path, const char *size)
{
    RUN("rm", "-f", path);
    RUN("truncate", "-s", size, path);
}

/* A disk with the partition table of a script for sfdisk. */
static inline void make_disk(const char *path, const char *size, const char *script)
{
    make_empty(path, size);
    run(ARGV("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path), script);
}

static inline void poke(const char *path, uint64_t at, const void *bytes, size_t n)
{
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, bytes, n, (off_t)at), n);
}

/* Writes a number of n bytes, least first. */
static inline void poke_number(const char *path, uint64_t at, uint64_t value, size_t n)
{
    poke(path, at, &value, n);
}

static inline void peek(const char *path, uint64_t at, void *bytes, size_t n)
{
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, bytes, n, (off_t)at), n);
}

/* Where a GPT keeps what. */
enum {
    GPT_HEADER = 512,
    GPT_OWN = GPT_HEADER + 24,
    GPT_COPY = GPT_HEADER + 32,
    GPT_FIRST = GPT_HEADER + 40,
    GPT_LAST = GPT_HEADER + 48,
    GPT_ENTRIES_AT = GPT_HEADER + 72,
    GPT_COUNT = GPT_HEADER + 80,
    GPT_ENTRY = 1024, /* the first one */
    GPT_ENTRY_FIRST = GPT_ENTRY + 32,
    GPT_ENTRY_LAST = GPT_ENTRY + 40,
};

/* Sets the checksums of the first GPT anew, after its bytes were changed. */
static inline void seal_gpt(const char *path)
{
    unsigned char header[92];
    uint32_t count;
    peek(path, GPT_COUNT, &count, sizeof count);
    size_t size = (size_t)(count < 4096 ? count : 4096) * 128;
    unsigned char *entries AUTO_FREE = heap_array(size, 1);
    peek(path, GPT_ENTRY, entries, size);
    poke_number(path, GPT_HEADER + 88, crc32(0, entries, (uInt)size), 4);
    poke_number(path, GPT_HEADER + 16, 0, 4);
    peek(path, GPT_HEADER, header, sizeof header);
    poke_number(path, GPT_HEADER + 16, crc32(0, header, sizeof header), 4);
}

static inline struct blocks *open_raw(const char *path)
{
    struct error err = ERROR_INIT;
    struct blocks *blocks = NULL;
    const struct disk_file file = {.path = path};
    if (blocks_open(&file, false, &blocks, &err) < 0)
        fail_msg("%s", err.text);
    return blocks;
}

static inline void close_raw(struct blocks *blocks)
{
    struct error err = ERROR_INIT;
    if (blocks_close(blocks, &err) < 0)
        fail_msg("%s", err.text);
}

#endif
