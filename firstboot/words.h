/* The forms that single fields of a contract must have. */
#ifndef NB_FIRSTBOOT_WORDS_H
#define NB_FIRSTBOOT_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/attributes.h"

enum {
    WORD_BASE_MAX =
        245, /* longest file name that leaves room for a temporary one, .NAME.nodebake */
};

/* A path without `.`, `..` and empty components, absolute or relative as asked, whose components
 * are at most 255 bytes and the last at most WORD_BASE_MAX. */
bool word_is_path(const char *word, bool absolute) NONNULL(1);

/* A systemd unit's file name, such as kubelet.service. */
bool word_is_unit(const char *word) NONNULL(1);

/* A fact's name: A-Z, 0-9, _, a letter first, at most 47 bytes. */
bool word_is_fact(const char *word) NONNULL(1);

/* A user's name: a-z or _, then a-z, 0-9, _ and -, at most 32 bytes. */
bool word_is_user(const char *word) NONNULL(1);

/* Exactly four octal digits. */
bool word_to_mode(const char *word, mode_t *out) NONNULL(1, 2);

/* A decimal number without leading zeros, at most `max`. */
bool word_to_number(const char *word, uint32_t max, uint32_t *out) NONNULL(1, 3);

#endif
