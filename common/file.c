#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

static int read_chunks(int fd, size_t max, char *chunk, size_t size, struct buffer *out)
{
    size_t total = 0;
    for (;;) {
        ssize_t n = read(fd, chunk, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -1 : 0;
        total += (size_t)n;
        if (total > max) {
            errno = EFBIG;
            return -1;
        }
        buffer_add(out, chunk, (size_t)n);
    }
}

/* The file may be a key: no copy of it stays on the stack. */
static int read_all(int fd, size_t max, struct buffer *out)
{
    char chunk[4096];
    int result = read_chunks(fd, max, chunk, sizeof chunk, out);
    int saved = errno;
    explicit_bzero(chunk, sizeof chunk);
    errno = saved;
    return result;
}

int file_read(int dirfd, const char *path, size_t max, struct buffer *out, struct error *err)
{
    int fd AUTO_CLOSE = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_errno(err, "%s", path);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_errno(err, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, "%s: not a regular file", path);
    if (read_all(fd, max, out) < 0) {
        if (errno == EFBIG)
            return error_set(err, "%s: larger than the %zu bytes allowed", path, max);
        return error_errno(err, "%s", path);
    }
    if (out->overflow)
        return error_set(err, "%s: does not fit in %zu bytes", path, out->cap);
    return 0;
}

int file_write_all(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n) {
        ssize_t written = write(fd, p, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        p += written;
        n -= (size_t)written;
    }
    return 0;
}

/* Never opens what is there: a left-over link, FIFO or second name of another file would be
 * followed, waited for or overwritten. */
static int create_new(int dirfd, const char *path)
{
    static const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = openat(dirfd, path, flags, (mode_t)0600);
    if (fd < 0 && errno == EEXIST && unlinkat(dirfd, path, 0) == 0)
        fd = openat(dirfd, path, flags, (mode_t)0600);
    return fd;
}

int file_begin(int dirfd, const char *path, const void *bytes, size_t n, mode_t mode, uid_t uid,
               gid_t gid, int *out, struct error *err)
{
    int fd AUTO_CLOSE = create_new(dirfd, path);
    if (fd < 0)
        return error_errno(err, "create %s", path);
    if (file_write_all(fd, bytes, n) < 0)
        return error_errno(err, "write %s", path);
    /* The owner first: chown clears set-id bits. Left alone where it already fits, so that an
     * ordinary user can stage files of his own. */
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_errno(err, "stat %s", path);
    if ((st.st_uid != uid || st.st_gid != gid) && fchown(fd, uid, gid) < 0)
        return error_errno(err, "chown %s", path);
    if (fchmod(fd, mode) < 0)
        return error_errno(err, "write %s", path);
    *out = steal_fd(&fd);
    return 0;
}

int file_stage(int dirfd, const char *path, const void *bytes, size_t n, mode_t mode, uid_t uid,
               gid_t gid, struct error *err)
{
    int fd AUTO_CLOSE = -1;
    if (file_begin(dirfd, path, bytes, n, mode, uid, gid, &fd, err) < 0)
        return -1;
    return fsync(fd) < 0 ? error_errno(err, "write %s", path) : 0;
}

int file_sync_dir(int dirfd, const char *path, struct error *err)
{
    int fd AUTO_CLOSE = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return error_errno(err, "sync directory %s", path);
    return 0;
}

static int parent_of(const char *path, char *out, size_t cap)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 1;
    if (n >= cap)
        return -1;
    memcpy(out, slash ? path : ".", n);
    if (n == 0)
        out[n++] = '/';
    out[n] = '\0';
    return 0;
}

int file_publish(int dirfd, const char *path, const void *bytes, size_t n, mode_t mode,
                 struct error *err)
{
    char temp[PATH_MAX], parent[PATH_MAX];
    if (snprintf(temp, sizeof temp, "%s.nodebake-tmp", path) >= (int)sizeof temp ||
        parent_of(path, parent, sizeof parent) < 0)
        return error_set(err, "%s: path too long", path);
    if (file_stage(dirfd, temp, bytes, n, mode, geteuid(), getegid(), err) < 0)
        goto failed;
    if (renameat(dirfd, temp, dirfd, path) < 0) {
        error_errno(err, "rename %s to %s", temp, path);
        goto failed;
    }
    return file_sync_dir(dirfd, parent, err);
failed:
    unlinkat(dirfd, temp, 0);
    return -1;
}
