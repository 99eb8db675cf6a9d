/* Durations as users write them. */
#ifndef NB_BUILDER_DURATION_H
#define NB_BUILDER_DURATION_H

#include "common/attributes.h"
#include "common/error.h"

/* Reads `720h` or `30d`, of least to most hours. */
int duration_hours(const char *text, unsigned least, unsigned most, unsigned *hours,
                   struct error *err) NONNULL(1, 4, 5) MUST_CHECK;

/* Reads `90s` or `15m`, of least to most seconds. */
int duration_seconds(const char *text, unsigned least, unsigned most, unsigned *seconds,
                     struct error *err) NONNULL(1, 4, 5) MUST_CHECK;

#endif
