/* One error, built where it happens and given context while unwinding.
 * The contract of every fallible function is in HACKING.md. */
#ifndef NB_COMMON_ERROR_H
#define NB_COMMON_ERROR_H

#include "common/attributes.h"

enum { ERROR_TEXT_MAX = 1024 };

/* A failure as one line of text; empty while nothing failed. */
struct error {
    char text[ERROR_TEXT_MAX];
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/* Sets the text (cut at ERROR_TEXT_MAX); returns -1, so that `return error_set(…)` reads well. */
int error_set(struct error *err, const char *fmt, ...) PRINTF(2, 3) NONNULL(1, 2);

/* Like error_set, with ": " and the text of errno appended; returns -1. */
int error_errno(struct error *err, const char *fmt, ...) PRINTF(2, 3) NONNULL(1, 2);

/* Puts the formatted text and ": " before what is there already; returns -1. */
int error_context(struct error *err, const char *fmt, ...) PRINTF(2, 3) NONNULL(1, 2);

#endif
