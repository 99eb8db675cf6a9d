/* Pauses between tries, and the random numbers for them. */
#ifndef NB_FIRSTBOOT_BACKOFF_H
#define NB_FIRSTBOOT_BACKOFF_H

#include <stdint.h>

#include "common/attributes.h"

/* The next pause and the longest one, in milliseconds. */
struct backoff {
    int64_t next_ms;
    int64_t max_ms;
};

/* The pause to make now: next_ms give or take a quarter. The one after it is twice as long, up to
 * max_ms (and a quarter). */
int64_t backoff_pause(struct backoff *b) NONNULL(1);

/* A number that differs between machines that boot together. Never blocks; not for secrets. */
uint32_t random_number(void);

#endif
