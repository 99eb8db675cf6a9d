/* Release at the end of a scope. Heap helpers are in builder/heap.h: firstboot has no heap. */
#ifndef NB_COMMON_CLEANUP_H
#define NB_COMMON_CLEANUP_H

#include <unistd.h>

/* Closes *fd unless it is negative; errno stays. */
void cleanup_close(int *fd);

/* int fd AUTO_CLOSE = open(…); closes at the end of the scope. */
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))

/* Hands the descriptor to the caller: returns *fd and leaves -1 behind. */
static inline int steal_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#endif
