#include "builder/fingerprint.h"

#include <stdint.h>

void fingerprint_add(struct buffer *out, const struct stat *st)
{
    buffer_printf(out, "%ju %ju %jd.%09ld %jd.%09ld", (uintmax_t)st->st_size, (uintmax_t)st->st_ino,
                  (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec,
                  st->st_ctim.tv_nsec);
}

int fingerprint_of(const char *path, char text[static FINGERPRINT_MAX], struct error *err)
{
    struct stat st;
    struct buffer out = {.data = text, .cap = FINGERPRINT_MAX};
    if (stat(path, &st) < 0)
        return error_errno(err, "%s", path);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return error_set(err, "%s: not a regular file", path);
    text[0] = '\0';
    fingerprint_add(&out, &st);
    return 0;
}
