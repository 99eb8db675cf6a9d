/* For tests of the ext4 writer: disks made by mke2fs, what is put on them, and what e2fsck and
 * debugfs say of them afterwards. */
#ifndef NB_BUILDER_EXT4_FIXTURE_H
#define NB_BUILDER_EXT4_FIXTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/image/ext4/ext4.h"
#include "builder/process.h"
#include "common/cleanup.h"
#include "common/file.h"

enum { MTIME = 1577836800, NOW = 1600000000, MIB = 1 << 20 };

/* The root lies at 1 MiB; around it are bytes that nobody may touch. */
#define ROOT_AT "?offset=1048576"
enum { ROOT_START = MIB, GUARD = 0xa5 };

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL}, NULL)

static char folder[] = "/tmp/nodebake-ext4-XXXXXX";

static inline void run(const char *const *argv, struct buffer *out)
{
    static const char *const env[] = {"E2FSPROGS_FAKE_TIME=1500000000", "MKE2FS_CONFIG=mke2fs.conf",
                                      "DEBUGFS_PAGER=__none__", NULL};
    struct error err = ERROR_INIT;
    struct process p = {.argv = argv, .env = env, .out = out, .out_max = 16 * MIB};
    if (process_run(&p, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void write_file(const char *path, const char *bytes, size_t n)
{
    int fd AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0 && file_write_all(fd, bytes, n) == 0);
}

/* Fills, or compares, what lies before and behind the partition. */
static inline void guard_disk(const char *path, bool check)
{
    static char bytes[MIB], expected[MIB];
    int fd AUTO_CLOSE = open(path, O_RDWR | O_CLOEXEC);
    off_t at[2] = {0, lseek(fd, -MIB, SEEK_END)};
    memset(expected, GUARD, MIB);
    for (size_t i = 0; i < 2; i++)
        if (!check)
            assert_int_equal(pwrite(fd, expected, MIB, at[i]), MIB);
        else if (pread(fd, bytes, MIB, at[i]) != MIB || memcmp(bytes, expected, MIB) != 0)
            fail_msg("%s was written outside of its partition", path);
}

/* What mke2fs makes must not depend on the host. */
static const char MKE2FS_CONF[] =
    "[defaults]\nblocksize = 4096\ninode_size = 256\n"
    "base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr\n"
    "[fs_types]\next3 = {\nfeatures = has_journal\n}\n"
    "ext4 = {\nfeatures = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,"
    "extra_isize\n}\n";

static inline int enter_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    write_file("mke2fs.conf", MKE2FS_CONF, sizeof MKE2FS_CONF - 1);
    return 0;
}

static inline int remove_folder(void **state)
{
    (void)state;
    RUN("rm", "-r", folder);
    return 0;
}

/* A root with little in it, as the folder "root". */
static inline int make_root(void **state)
{
    if (enter_folder(state) < 0)
        return -1;
    RUN("mkdir", "-p", "root/etc", "root/srv");
    write_file("root/etc/file", "old", 3);
    return 0;
}

/* Kinds of file systems whose content lies differently. */
static const char *const KINDS[] = {
    "-t ext4 -b 4096",        "-t ext4 -b 1024",        "-t ext4 -b 1024 -O ^extents,^64bit",
    "-t ext2 -b 4096 -I 128", "-t ext4 -O inline_data",
};

/* A new disk with one file system of so many MiB; options are mke2fs', split at blanks, and `from`
 * is a folder or NULL. */
static inline void make_disk(const char *path, unsigned mib, const char *options, const char *from)
{
    char *words AUTO_FREE = heap_copy(options), *rest = words, *word;
    const char *argv[32] = {"mke2fs", "-q", "-F", "-U", "11111111-2222-3333-4444-555555555555"};
    size_t n = 5;
    char *extended AUTO_FREE = heap_printf(
        "offset=%d,root_owner=0:0,hash_seed=00000000-1111-2222-3333-444444444444", ROOT_START);
    char *size AUTO_FREE = heap_printf("%uM", mib);
    argv[n++] = "-E";
    argv[n++] = extended;
    while ((word = strsep(&rest, " ")))
        argv[n++] = word;
    if (from) {
        argv[n++] = "-d";
        argv[n++] = from;
    }
    argv[n++] = path;
    argv[n++] = size;
    write_file(path, "", 0);
    assert_int_equal(truncate(path, (off_t)(mib + 2) * MIB), 0);
    guard_disk(path, false);
    run(argv, NULL);
}

/* Opens the disk's file system, raw or in a file .qcow2, as the root of a system. */
static inline struct disk *open_disk(const char *path, bool writable)
{
    struct error err = ERROR_INIT;
    struct disk_file file = {.path = path, .qcow2 = strstr(path, ".qcow2") != NULL};
    struct disk *disk = heap_array(1, sizeof *disk);
    if (blocks_open(&file, writable, &disk->blocks, &err) < 0)
        fail_msg("%s", err.text);
    struct volume *root = &disk->volumes[disk->volume_count++];
    root->dir = heap_copy("/");
    root->partition = (struct partition){.number = 1, .start = ROOT_START, .fs = "ext4"};
    root->partition.size = blocks_size(disk->blocks) - 2 * MIB;
    disk->now = NOW;
    if (ext4_fs_open(disk->blocks, &root->partition, writable, NOW, &root->fs, &err) < 0)
        fail_msg("%s", err.text);
    return disk;
}

static inline void close_disk(struct disk *disk)
{
    struct error err = ERROR_INIT;
    for (size_t i = disk->volume_count; i-- > 0;) {
        if (ext4_fs_close(disk->volumes[i].fs, &err) < 0)
            fail_msg("%s", err.text);
        free(disk->volumes[i].dir);
    }
    if (blocks_close(disk->blocks, &err) < 0)
        fail_msg("%s", err.text);
    free(disk);
}

static inline char *read_disk(const char *path, size_t *n)
{
    struct error err = ERROR_INIT;
    struct buffer bytes = buffer_heap();
    if (file_read(AT_FDCWD, path, 256 * MIB, &bytes, &err) < 0)
        fail_msg("%s", err.text);
    *n = bytes.len;
    return bytes.data;
}

/* e2fsck finds nothing, and nothing outside of the partition has changed. */
static inline void check_disk(const char *path)
{
    char *device AUTO_FREE = heap_printf("%s" ROOT_AT, path);
    guard_disk(path, true);
    RUN("e2fsck", "-fn", device);
}

/* Does the disk hold these bytes anywhere? */
static inline bool disk_holds(const char *path, const char *text)
{
    size_t n;
    char *bytes AUTO_FREE = read_disk(path, &n);
    return memmem(bytes, n, text, strlen(text)) != NULL;
}

static inline void expect_same(const char *a, const char *b)
{
    RUN("cmp", a, b);
}

/* Asks debugfs what begins with "?", each followed by what its answer has to hold, or not
 * to hold after a "!". */
static inline void expect_answers(const char *path, const char *const *texts)
{
    struct buffer requests AUTO_BUFFER = buffer_heap(), out AUTO_BUFFER = buffer_heap();
    char *device AUTO_FREE = heap_printf("%s" ROOT_AT, path), *answer = NULL, *next;
    for (size_t i = 0; texts[i]; i++)
        if (*texts[i] == '?')
            buffer_printf(&requests, "%s\n", texts[i] + 1);
    write_file("requests", requests.data, requests.len);
    run((const char *const[]){"debugfs", "-f", "requests", device, NULL}, &out);
    next = strstr(out.data, "debugfs: ");
    for (; *texts; texts++) {
        if (**texts == '?') {
            answer = next;
            assert_non_null(answer);
            next = strstr(answer + 1, "\ndebugfs: ");
            if (next)
                *next++ = '\0';
        } else if (**texts == '!' ? strstr(answer, *texts + 1) != NULL : !strstr(answer, *texts))
            fail_msg("%s: '%s' lacks '%s'", path, answer, *texts);
    }
}
#define EXPECT(path, ...) expect_answers(path, (const char *const[]){__VA_ARGS__, NULL})

static inline void put(struct disk *disk, struct entry entry)
{
    struct error err = ERROR_INIT;
    if (ext4_put(disk, &entry, MTIME, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

/* An entry for a file in memory. */
static inline struct entry file_entry(const char *path, const char *text, mode_t mode)
{
    return (struct entry){.path = (char *)path,
                          .type = ENTRY_FILE,
                          .mode = mode,
                          .text = (char *)text,
                          .len = strlen(text)};
}

static inline void put_text(struct disk *disk, const char *path, const char *text, mode_t mode)
{
    put(disk, file_entry(path, text, mode));
}

static inline ext2_filsys root_of(struct disk *disk)
{
    return disk->volumes[0].fs;
}

static inline uint64_t free_blocks(struct disk *disk)
{
    return ext2fs_free_blocks_count(root_of(disk)->super);
}

/* The word again and again, cut at `size`. The caller frees it. */
static inline char *make_text(const char *word, size_t size)
{
    char *text = heap_array(size + 1, 1);
    for (size_t i = 0; i < size; i++)
        text[i] = word[i % strlen(word)];
    return text;
}

static inline void put_size(struct disk *disk, const char *path, size_t size, mode_t mode)
{
    char *text AUTO_FREE = make_text("0123456789abcdef\n", size);
    put_text(disk, path, text, mode);
}

static inline void expect_refusal(struct disk *disk, struct entry entry, const char *message)
{
    struct error err = ERROR_INIT;
    assert_int_equal(ext4_put(disk, &entry, MTIME, NULL, &err), -1);
    if (!strstr(err.text, message))
        fail_msg("'%s' lacks '%s'", err.text, message);
    assert_null(strchr(err.text, '\n'));
}

static inline void expect_text(struct disk *disk, const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    struct buffer out AUTO_BUFFER = buffer_heap();
    if (ext4_read(disk, path, 64 * MIB, &out, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(out.data, text);
}

static inline void expect_exists(struct disk *disk, const char *path, int answer)
{
    struct error err = ERROR_INIT;
    int found = ext4_exists(disk, path, &err);
    if (found != answer)
        fail_msg("%s: %d %s", path, found, err.text);
}

#endif
