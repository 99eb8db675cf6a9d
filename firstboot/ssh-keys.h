/* The keys of one user, gathered from metadata for its authorized_keys. */
#ifndef NB_FIRSTBOOT_SSH_KEYS_H
#define NB_FIRSTBOOT_SSH_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/ssh-key.h"

struct ssh_keys {
    const char *user;
    char text[SSH_KEYS_MAX]; /* lines TYPE BASE64 [COMMENT], printable */
    unsigned count;          /* of keys */
    unsigned bad;            /* lines left out: no keys */
    unsigned expiring;       /* keys left out: they end some day */
    unsigned surplus;        /* keys left out: no room */
    unsigned first_bad;      /* number of the first bad line in its value */
};

/* Begins without keys. */
void ssh_keys_init(struct ssh_keys *keys, const char *user) NONNULL(1);

/* Takes a value of metadata: a line a key, `USER:` before it or not. Those of other users, empty
 * ones and comments are passed over; those that are no keys, or end some day, are counted. A key
 * that is there already is not taken again. */
void ssh_keys_take(struct ssh_keys *keys, const char *text, size_t len) NONNULL(1, 2);

/* Adds one key without `USER:`; false when it is none, has a byte that cannot be printed, or there
 * is no room. */
bool ssh_keys_add(struct ssh_keys *keys, const char *line, size_t len) NONNULL(1, 2);

/* Appends what was left out, for people; false when nothing was. */
bool ssh_keys_remark(const struct ssh_keys *keys, struct buffer *out) NONNULL(1, 2);

#endif
