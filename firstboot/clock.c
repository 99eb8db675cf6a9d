#include "firstboot/clock.h"

#include <limits.h>
#include <time.h>

/* CLOCK_BOOTTIME: it is not set back by a time service, and it counts while a machine that was
 * suspended sleeps. */
int64_t clock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct deadline deadline_in(int64_t ms)
{
    return (struct deadline){clock_now_ms() + ms};
}

int deadline_left_ms(struct deadline d)
{
    int64_t left = d.at_ms - clock_now_ms();
    if (left < 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

struct deadline deadline_step(struct deadline d, int64_t ms)
{
    struct deadline step = deadline_in(ms);
    return step.at_ms < d.at_ms ? step : d;
}

bool deadline_sleep(struct deadline d, int64_t ms)
{
    struct deadline end = deadline_step(d, ms);
    int left;
    while ((left = deadline_left_ms(end)) > 0) {
        struct timespec pause = {left / 1000, left % 1000 * 1000000L};
        clock_nanosleep(CLOCK_BOOTTIME, 0, &pause, NULL); /* cut short by a signal: goes round */
    }
    return deadline_left_ms(d) > 0;
}
