/* The one deadline that everything in firstboot lives under. */
#ifndef NB_FIRSTBOOT_CLOCK_H
#define NB_FIRSTBOOT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds of CLOCK_BOOTTIME. */
int64_t clock_now_ms(void);

/* A point in time. */
struct deadline {
    int64_t at_ms;
};

/* `ms` from now. */
struct deadline deadline_in(int64_t ms);

/* Milliseconds left, 0 when it has passed; fits poll's time-out. */
int deadline_left_ms(struct deadline d);

/* The earlier of the deadline and `ms` from now: for one step inside the whole. */
struct deadline deadline_step(struct deadline d, int64_t ms);

/* Sleeps `ms`, but not past the deadline; false once the deadline has passed. */
bool deadline_sleep(struct deadline d, int64_t ms);

#endif
