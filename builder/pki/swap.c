#include "builder/pki/swap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/heap.h"
#include "builder/pki/folder.h"

/* One of STEM-key.pem, STEM.pem, and what it is called on its way in and out. */
struct seat {
    char *now, *next, *old;
    bool secret;
    struct buffer now_pem, next_pem;
    bool now_there, next_there;
};

static void seat_free_at(struct seat *s)
{
    free(s->now);
    free(s->next);
    free(s->old);
    buffer_free(&s->now_pem);
    buffer_free(&s->next_pem);
}
#define AUTO_SEAT __attribute__((cleanup(seat_free_at)))

static struct seat seat_of(const char *stem, bool secret)
{
    const char *suffix = secret ? "-key.pem" : ".pem";
    return (struct seat){.now = heap_printf("%s%s", stem, suffix),
                         .next = heap_printf("%s-new%s", stem, suffix),
                         .old = heap_printf("%s-old%s", stem, suffix),
                         .secret = secret,
                         .now_pem = buffer_heap(),
                         .next_pem = buffer_heap()};
}

static int seat_read(int folder, struct seat *s, struct error *err)
{
    if (folder_read(folder, s->now, s->secret, &s->now_pem, &s->now_there, err) < 0)
        return -1;
    return folder_read(folder, s->next, s->secret, &s->next_pem, &s->next_there, err);
}

static int drop(int folder, const char *name, struct error *err)
{
    if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
        return error_errno(err, "remove %s", name);
    return 0;
}

int swap_begin(int folder, const char *stem, const struct buffer *key, const struct buffer *cert,
               struct error *err)
{
    struct seat keys AUTO_SEAT = seat_of(stem, true), certs AUTO_SEAT = seat_of(stem, false);
    if (folder_write(folder, keys.next, true, key, err) < 0)
        return -1;
    return folder_write(folder, certs.next, false, cert, err);
}

int swap_pending(int folder, const char *stem, bool *pending, struct error *err)
{
    struct seat keys AUTO_SEAT = seat_of(stem, true), certs AUTO_SEAT = seat_of(stem, false);
    if (seat_read(folder, &keys, err) < 0 || seat_read(folder, &certs, err) < 0)
        return -1;
    *pending = keys.next_there && certs.next_there;
    return 0;
}

/* What has moved already is the new one, and nothing to keep as the old one. */
static int keep_old(int folder, const struct seat *s, struct error *err)
{
    if (!s->now_there)
        return drop(folder, s->old, err);
    if (s->now_pem.len == s->next_pem.len &&
        memcmp(s->now_pem.data, s->next_pem.data, s->now_pem.len) == 0)
        return 0;
    return folder_write(folder, s->old, s->secret, &s->now_pem, err);
}

static int move_in(int folder, const struct seat *s, unsigned *written, struct error *err)
{
    if (folder_write(folder, s->now, s->secret, &s->next_pem, err) < 0)
        return -1;
    ++*written;
    return 0;
}

int swap_finish(int folder, const char *stem, unsigned *written, struct error *err)
{
    struct seat keys AUTO_SEAT = seat_of(stem, true), certs AUTO_SEAT = seat_of(stem, false);
    if (seat_read(folder, &keys, err) < 0 || seat_read(folder, &certs, err) < 0)
        return -1;
    if (keys.next_there && certs.next_there &&
        (keep_old(folder, &keys, err) < 0 || keep_old(folder, &certs, err) < 0 ||
         move_in(folder, &keys, written, err) < 0 || move_in(folder, &certs, written, err) < 0))
        return -1;
    /* The certificate last: with the key alone nothing is on its way. */
    return drop(folder, certs.next, err) < 0 ? -1 : drop(folder, keys.next, err);
}
