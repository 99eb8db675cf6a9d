#include "firstboot/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "firstboot/walk.h"

enum { RACES_MAX = 16 };

int resolve_open(int rootfd, const char *path, int flags)
{
    static bool no_openat2; /* Linux before 5.6 */
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    for (int races = 0; !no_openat2; races++) {
        long fd = syscall(SYS_openat2, rootfd, path, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno == ENOSYS)
            no_openat2 = true;
        else if (errno != EAGAIN || races == RACES_MAX)
            return -1;
    }
    return walk_open(rootfd, path, flags);
}

/* Reads to the end; EFBIG when something is left once the buffer is full. A file that gave its
 * whole size, and could have given more, is at its end. */
static int read_into(int fd, off_t size, struct buffer *out)
{
    for (;;) {
        char more;
        size_t room = out->cap - out->len - 1;
        ssize_t n = read(fd, room ? out->data + out->len : &more, room ? room : 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0 && room == 0)
            errno = EFBIG;
        if (n <= 0 || room == 0)
            return n == 0 ? 0 : -1;
        out->len += (size_t)n;
        out->data[out->len] = '\0';
        if (n == size && (size_t)n < room)
            return 0;
    }
}

int resolve_read(int rootfd, const char *path, struct buffer *out, struct error *err)
{
    int fd AUTO_CLOSE = resolve_open(rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_errno(err, "%s", path);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_errno(err, "%s", path);
    if (!S_ISREG(st.st_mode)) {
        error_set(err, "%s: not a regular file", path);
        errno = EINVAL;
        return -1;
    }
    if (read_into(fd, st.st_size, out) == 0)
        return 1;
    if (errno != EFBIG)
        return error_errno(err, "%s", path);
    error_set(err, "%s: larger than the %zu bytes allowed", path, out->cap - 1);
    errno = EFBIG;
    return -1;
}
