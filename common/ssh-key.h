/* Public keys of OpenSSH, as lines of authorized_keys without options: TYPE BASE64 [COMMENT]. */
#ifndef NB_COMMON_SSH_KEY_H
#define NB_COMMON_SSH_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"

enum {
    SSH_KEY_MAX = 8192,     /* bytes of a line */
    SSH_KEYS_MAX = 16384,   /* bytes of a fact of type sshkeys, its NUL included */
    SSH_KEYS_COUNT_MAX = 64 /* keys of such a fact */
};

/* The parts of a line; pointers into it, but the type. */
struct ssh_key {
    const char *type;
    const char *base64;
    size_t base64_len;
    const char *comment; /* may hold anything; comment_len 0: none */
    size_t comment_len;
};

/* Takes a line apart; false when it does not begin with a type that sshd knows and base64 of a key
 * of that type. */
bool ssh_key_parse(const char *line, size_t len, struct ssh_key *out) NONNULL(1, 3);

/* Is the text such lines, each ended by a newline, printable, and not too many? None is fine. */
bool ssh_keys_valid(const char *text) NONNULL(1);

/* Is it printable ASCII? */
bool ssh_key_printable(const char *text, size_t len) NONNULL(1);

#endif
