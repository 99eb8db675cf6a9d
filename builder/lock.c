#include "builder/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <time.h>

#include "common/cleanup.h"

enum { TRIES_A_SECOND = 10 };

/* flock cannot wait with a deadline: it is asked again and again. */
static bool lock_within(int fd, unsigned seconds)
{
    const struct timespec pause = {.tv_nsec = 1000000000 / TRIES_A_SECOND};
    for (unsigned tries = seconds * TRIES_A_SECOND;; tries--) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if ((errno != EWOULDBLOCK && errno != EINTR) || tries == 0)
            return false;
        nanosleep(&pause, NULL);
    }
}

int lock_take(int dirfd, const char *name, unsigned seconds, int *fd, struct error *err)
{
    int file AUTO_CLOSE =
        openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, (mode_t)0600);
    if (file < 0)
        return error_errno(err, "open lock %s", name);
    if (!lock_within(file, seconds)) {
        if (errno == EWOULDBLOCK && seconds == 0)
            return error_set(err, "another nodebake holds the lock %s", name);
        if (errno == EWOULDBLOCK)
            return error_set(err, "another nodebake has held the lock %s for %u s", name, seconds);
        return error_errno(err, "lock %s", name);
    }
    *fd = steal_fd(&file);
    return 0;
}
