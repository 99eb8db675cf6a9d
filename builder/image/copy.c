#include "builder/image/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/image/zeros.h"

enum {
    INSIDE_MAX = 16 << 20, /* bytes that the system copies at a time, for the progress' sake */
    CHUNK = 256 * 1024,
    PIECE = 4096 /* zeros are left out by whole ones */
};

ssize_t copy_read(struct copy_end from, void *bytes, size_t n, struct error *err)
{
    ssize_t got;
    while ((got = pread(from.fd, bytes, n, (off_t)from.at)) < 0 && errno == EINTR)
        ;
    if (got < 0)
        return error_errno(err, "read %s", from.path);
    if (got == 0)
        return error_set(err, "%s: became shorter while it was read", from.path);
    return got;
}

uint64_t copy_inside(struct copy_end from, struct copy_end to, uint64_t n,
                     struct progress *progress)
{
    uint64_t done = 0;
    while (done < n) {
        off_t in = (off_t)(from.at + done), out = (off_t)(to.at + done);
        size_t part = n - done < INSIDE_MAX ? (size_t)(n - done) : INSIDE_MAX;
        ssize_t copied = copy_file_range(from.fd, &in, to.fd, &out, part, 0);
        if (copied < 0 && errno == EINTR)
            continue;
        if (copied <= 0)
            break;
        /* It is going to be synced: let the disk begin while we go on. Only a hint. */
        (void)!sync_file_range(to.fd, (off_t)(to.at + done), copied, SYNC_FILE_RANGE_WRITE);
        done += (uint64_t)copied;
        progress_add(progress, (uint64_t)copied);
    }
    return done;
}

static int write_at(struct copy_end to, const char *bytes, size_t n, struct error *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t put = pwrite(to.fd, bytes + done, n - done, (off_t)(to.at + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_errno(err, "write %s", to.path);
        done += (size_t)put;
    }
    return 0;
}

static int write_data(struct copy_end to, const char *bytes, size_t n, struct error *err)
{
    for (size_t done = 0, part; done < n; done += part) {
        part = n - done < PIECE ? n - done : PIECE;
        struct copy_end place = {.fd = to.fd, .path = to.path, .at = to.at + done};
        if (!all_zeros(bytes + done, part) && write_at(place, bytes + done, part, err) < 0)
            return -1;
    }
    return 0;
}

static int copy_through(char *chunk, struct copy_end from, struct copy_end to, uint64_t n,
                        bool fresh, struct progress *progress, struct error *err)
{
    while (n) {
        ssize_t got = copy_read(from, chunk, n < CHUNK ? (size_t)n : CHUNK, err);
        if (got < 0)
            return -1;
        if ((fresh ? write_data : write_at)(to, chunk, (size_t)got, err) < 0)
            return -1;
        from.at += (uint64_t)got;
        to.at += (uint64_t)got;
        n -= (uint64_t)got;
        progress_add(progress, (uint64_t)got);
    }
    return 0;
}

int copy_bytes(struct copy_end from, struct copy_end to, uint64_t n, bool fresh,
               struct progress *progress, struct error *err)
{
    uint64_t done = copy_inside(from, to, n, progress);
    if (done == n)
        return 0;
    char *chunk AUTO_FREE = heap_array(CHUNK, 1);
    from.at += done;
    to.at += done;
    int result = copy_through(chunk, from, to, n - done, fresh, progress, err);
    explicit_bzero(chunk, CHUNK); /* images hold keys */
    return result;
}

uint64_t copy_next_data(int fd, uint64_t at, uint64_t size)
{
    off_t data = lseek(fd, (off_t)at, SEEK_DATA);
    if (data < 0)
        return errno == ENXIO ? size : at;
    return (uint64_t)data < size ? (uint64_t)data : size;
}

uint64_t copy_end_of_data(int fd, uint64_t at, uint64_t size)
{
    off_t hole = lseek(fd, (off_t)at, SEEK_HOLE);
    return hole < 0 || (uint64_t)hole > size ? size : (uint64_t)hole;
}
