/* For qemu-tests/35-disk-cut.t: a disk as it was when the power failed. A copy of the disk from
 * before becomes what it was after the first N entries of a log of its writes (tests/write-log.h).
 *
 * usage: log-replay LOG DISK            lists the entries: number, what, bytes, place
 *        log-replay LOG DISK N [SEED]   writes the first N to DISK
 *
 * What a disk was told since its last flush may still be in its cache. With a SEED, some of those
 * writes are lost, others are not: which ones the seed says. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "tests/write-log.h"

/* What the command line wants. */
struct wish {
    const char *log, *disk;
    bool apply, lossy;
    uint64_t count, seed;
};

static void list_entry(uint64_t number, const struct write_entry *e)
{
    const char *what = e->flags & WRITE_MARK      ? "mark"
                       : e->flags & WRITE_DISCARD ? "discard"
                       : e->flags & WRITE_FLUSH   ? "flush"
                                                  : "write";
    printf("%" PRIu64 " %s%s %" PRIu64 " %" PRIu64 "\n", number, what,
           e->flags & WRITE_FUA ? "-fua" : "", e->len, e->at);
}

/* Whether a write of the cache reached the disk; splitmix64. */
static bool is_kept(uint64_t seed, uint64_t number)
{
    uint64_t z = seed + number * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) & 1;
}

static int apply_entry(int disk, const struct write_entry *e, struct error *err)
{
    for (uint64_t done = 0; e->data && done < e->len;) {
        ssize_t n = pwrite(disk, e->data + done, (size_t)(e->len - done), (off_t)(e->at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_errno(err, "write the disk");
        done += (uint64_t)n;
    }
    if ((e->flags & WRITE_DISCARD) && e->len &&
        fallocate(disk, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)e->at, (off_t)e->len) <
            0)
        return error_errno(err, "discard");
    return 0;
}

/* Reads all entries, lest half of a damaged log is replayed. *flushed: the last flush that counts.
 */
static int check_all(struct write_log log, const struct wish *wish, uint64_t *flushed,
                     struct error *err)
{
    struct write_entry entry;
    int got;
    if (wish->apply && wish->count > log.entries)
        return error_set(err, "has %" PRIu64 " entries, not %" PRIu64, log.entries, wish->count);
    while ((got = write_log_next(&log, &entry, err)) > 0) {
        if ((entry.flags & WRITE_FLUSH) && log.read <= wish->count)
            *flushed = log.read;
        if (!wish->apply)
            list_entry(log.read, &entry);
    }
    return got;
}

static int replay(struct write_log log, const struct wish *wish, int disk, struct error *err)
{
    uint64_t flushed = 0;
    struct write_entry entry;
    if (check_all(log, wish, &flushed, err) < 0)
        return -1;
    while (wish->apply && log.read < wish->count) {
        if (write_log_next(&log, &entry, err) < 0)
            return -1;
        bool cached = log.read >= flushed && !(entry.flags & WRITE_FUA);
        if ((!wish->lossy || !cached || is_kept(wish->seed, log.read)) &&
            apply_entry(disk, &entry, err) < 0)
            return -1;
    }
    return 0;
}

static int run(const struct wish *wish, struct error *err)
{
    int disk AUTO_CLOSE = open(wish->disk, (wish->apply ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    int log_fd AUTO_CLOSE = open(wish->log, O_RDONLY | O_CLOEXEC);
    struct stat disk_st, log_st;
    if (disk < 0 || fstat(disk, &disk_st) < 0)
        return error_errno(err, "%s", wish->disk);
    if (log_fd < 0 || fstat(log_fd, &log_st) < 0)
        return error_errno(err, "%s", wish->log);
    if (!S_ISREG(disk_st.st_mode) || !S_ISREG(log_st.st_mode))
        return error_set(err, "log and disk have to be files");
    if (log_st.st_size == 0)
        return error_set(err, "%s is empty", wish->log);
    size_t len = (size_t)log_st.st_size;
    void *bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, log_fd, 0);
    if (bytes == MAP_FAILED)
        return error_errno(err, "%s", wish->log);
    struct write_log log;
    int result = write_log_begin(&log, bytes, len, (uint64_t)disk_st.st_size, err);
    if (result == 0)
        result = replay(log, wish, disk, err);
    munmap(bytes, len);
    return result < 0 ? error_context(err, "%s", wish->log) : 0;
}

static bool parse_number(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

int main(int argc, char **argv)
{
    struct wish wish = {.apply = argc > 3, .lossy = argc > 4};
    struct error err = ERROR_INIT;
    if (argc < 3 || argc > 5 || (wish.apply && !parse_number(argv[3], &wish.count)) ||
        (wish.lossy && !parse_number(argv[4], &wish.seed))) {
        fprintf(stderr, "usage: log-replay LOG DISK [N [SEED]]\n");
        return 2;
    }
    wish.log = argv[1];
    wish.disk = argv[2];
    if (run(&wish, &err) < 0) {
        fprintf(stderr, "log-replay: %s\n", err.text);
        return 1;
    }
    return 0;
}
