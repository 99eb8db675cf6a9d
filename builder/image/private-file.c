#include "builder/image/private-file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int private_file_create(const char *path, struct error *err)
{
    if (unlink(path) < 0 && errno != ENOENT)
        return error_errno(err, "remove %s", path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? error_errno(err, "create %s", path) : fd;
}
