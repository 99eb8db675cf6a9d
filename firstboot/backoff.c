#include "firstboot/backoff.h"

#include <sys/random.h>
#include <time.h>

#ifndef GRND_INSECURE
#define GRND_INSECURE 4
#endif

/* In the initramfs the kernel's generator may not be ready yet, and nothing here is worth waiting
 * for it; kernels before 5.6 do not know GRND_INSECURE. */
uint32_t random_number(void)
{
    uint32_t n;
    if (getrandom(&n, sizeof n, GRND_INSECURE) == (ssize_t)sizeof n ||
        getrandom(&n, sizeof n, GRND_NONBLOCK) == (ssize_t)sizeof n)
        return n;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)now.tv_nsec * UINT32_C(2654435761);
}

int64_t backoff_pause(struct backoff *b)
{
    int64_t pause = b->next_ms;
    b->next_ms = pause > b->max_ms / 2 ? b->max_ms : pause * 2;
    return pause - pause / 4 + random_number() % (pause / 2 + 1);
}
