/* For tests: passphrases, as if a user had given them. */
#ifndef NB_BUILDER_PASSPHRASE_FIXTURE_H
#define NB_BUILDER_PASSPHRASE_FIXTURE_H

#include <string.h>
#include <unistd.h>

#include "builder/pki/passphrase.h"

/* Gives the bytes through a pipe; what passphrase_read_fd answers. */
static inline int give_bytes(enum passphrase which, const char *bytes, size_t n, struct error *err)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, n), n);
    close(ends[1]);
    int result = passphrase_read_fd(which, ends[0], err);
    close(ends[0]);
    return result;
}

static inline void give(enum passphrase which, const char *text)
{
    struct error err = ERROR_INIT;
    if (give_bytes(which, text, strlen(text), &err) < 0)
        fail_msg("%s", err.text);
}

#endif
