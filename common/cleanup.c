#include "common/cleanup.h"

#include <errno.h>

void cleanup_close(int *fd)
{
    if (*fd < 0)
        return;
    int saved = errno;
    close(*fd);
    *fd = -1;
    errno = saved;
}
