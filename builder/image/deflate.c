#include "builder/image/deflate.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "builder/heap.h"
#include "common/file.h"

enum {
    PIECE = 256 * 1024, /* large enough that to begin anew costs little, small for many cores */
    OUT_MAX = PIECE + PIECE / 64, /* zlib stores what cannot be deflated, and says so in less */
    LEVEL = 6,
    RAW_WINDOW = -15,
    MEMORY_LEVEL = 8,
    THREADS_MAX = 16,
    SLOTS_MAX = 2 * THREADS_MAX + 1
};

/* A piece on its way; slots are used in turn. */
struct slot {
    unsigned char *in, *out; /* PIECE and OUT_MAX bytes */
    size_t in_len, out_len;
    uLong crc;
    bool done, failed;
};

/* Pieces are counted: those below `taken` have a worker, those below `filled` may have one, those
 * below `written` are through. */
struct deflate {
    int fd;
    char *path;
    struct slot slots[SLOTS_MAX];
    size_t slot_count;
    pthread_t threads[THREADS_MAX];
    size_t thread_count;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t filled, taken, written;
    bool stop;
    struct deflate_sum sum;
};

/* Ends on a byte (Z_SYNC_FLUSH), and knows nothing of the pieces before it. */
static void deflate_piece(z_stream *z, struct slot *slot)
{
    z->next_in = slot->in;
    z->avail_in = (uInt)slot->in_len;
    z->next_out = slot->out;
    z->avail_out = OUT_MAX;
    slot->failed = deflateReset(z) != Z_OK || deflate(z, Z_SYNC_FLUSH) != Z_OK ||
                   z->avail_in != 0 || z->avail_out == 0;
    slot->out_len = OUT_MAX - z->avail_out;
    slot->crc = crc32(0, slot->in, (uInt)slot->in_len);
}

static struct slot *slot_of(struct deflate *d, uint64_t number)
{
    return &d->slots[number % d->slot_count];
}

static void *work(void *ctx)
{
    struct deflate *d = ctx;
    z_stream z = {0};
    bool ready =
        deflateInit2(&z, LEVEL, Z_DEFLATED, RAW_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
    pthread_mutex_lock(&d->mutex);
    while (!d->stop) {
        if (d->taken == d->filled) {
            pthread_cond_wait(&d->changed, &d->mutex);
            continue;
        }
        struct slot *slot = slot_of(d, d->taken++);
        pthread_mutex_unlock(&d->mutex);
        if (ready)
            deflate_piece(&z, slot);
        pthread_mutex_lock(&d->mutex);
        slot->failed = slot->failed || !ready;
        slot->done = true;
        pthread_cond_broadcast(&d->changed);
    }
    pthread_mutex_unlock(&d->mutex);
    deflateEnd(&z);
    return NULL;
}

static size_t count_cores(void)
{
    cpu_set_t cores;
    int n = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
    return n < THREADS_MAX ? (size_t)n : THREADS_MAX;
}

/* Signals are for the thread that has always got them. */
static int start_threads(struct deflate *d, size_t n)
{
    sigset_t all, old;
    int rc = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (d->thread_count < n && rc == 0)
        if ((rc = pthread_create(&d->threads[d->thread_count], NULL, work, d)) == 0)
            d->thread_count++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return d->thread_count ? 0 : rc;
}

/* The disk's bytes do not stay in memory: images hold keys. */
static void deflate_free(struct deflate *d)
{
    pthread_mutex_lock(&d->mutex);
    d->stop = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->mutex);
    for (size_t i = 0; i < d->thread_count; i++)
        pthread_join(d->threads[i], NULL);
    for (size_t i = 0; i < d->slot_count; i++) {
        explicit_bzero(d->slots[i].in, PIECE);
        explicit_bzero(d->slots[i].out, OUT_MAX);
        free(d->slots[i].in);
        free(d->slots[i].out);
    }
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->mutex);
    free(d->path);
    free(d);
}

int deflate_start(int fd, const char *path, struct deflate **out, struct error *err)
{
    size_t cores = count_cores();
    struct deflate *d = heap_array(1, sizeof *d);
    *d = (struct deflate){.fd = fd, .path = heap_copy(path), .slot_count = 2 * cores + 1};
    d->sum.crc = (uint32_t)crc32(0, NULL, 0);
    pthread_mutex_init(&d->mutex, NULL);
    pthread_cond_init(&d->changed, NULL);
    for (size_t i = 0; i < d->slot_count; i++) {
        d->slots[i].in = heap_array(PIECE, 1);
        d->slots[i].out = heap_array(OUT_MAX, 1);
    }
    int rc = start_threads(d, cores);
    if (rc) {
        deflate_free(d);
        return error_set(err, "start threads: %s", strerror(rc));
    }
    *out = d;
    return 0;
}

/* Waits for the oldest piece that is on its way, and writes it. */
static int write_oldest(struct deflate *d, struct error *err)
{
    struct slot *slot = slot_of(d, d->written);
    pthread_mutex_lock(&d->mutex);
    while (!slot->done)
        pthread_cond_wait(&d->changed, &d->mutex);
    pthread_mutex_unlock(&d->mutex);
    if (slot->failed)
        return error_set(err, "%s: zlib cannot compress: out of memory?", d->path);
    if (file_write_all(d->fd, slot->out, slot->out_len) < 0)
        return error_errno(err, "write %s", d->path);
    struct deflate_sum sum = {.crc = (uint32_t)slot->crc, .bytes = slot->in_len};
    d->sum = deflate_join(d->sum, sum);
    slot->in_len = 0;
    slot->done = false;
    d->written++;
    return 0;
}

static void hand_over(struct deflate *d)
{
    pthread_mutex_lock(&d->mutex);
    d->filled++;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->mutex);
}

int deflate_add(struct deflate *d, const void *bytes, size_t n, struct error *err)
{
    const char *from = bytes;
    while (n) {
        if (d->filled - d->written == d->slot_count && write_oldest(d, err) < 0)
            return -1;
        struct slot *slot = slot_of(d, d->filled);
        size_t room = PIECE - slot->in_len, part = n < room ? n : room;
        memcpy(slot->in + slot->in_len, from, part);
        slot->in_len += part;
        from += part;
        n -= part;
        if (slot->in_len == PIECE)
            hand_over(d);
    }
    return 0;
}

static int finish(struct deflate *d, struct error *err)
{
    if (d->filled - d->written < d->slot_count && slot_of(d, d->filled)->in_len)
        hand_over(d);
    while (d->written < d->filled)
        if (write_oldest(d, err) < 0)
            return -1;
    return 0;
}

int deflate_stop(struct deflate *d, bool complete, struct deflate_sum *sum, struct error *err)
{
    int result = complete ? finish(d, err) : 0;
    if (complete && result == 0)
        *sum = d->sum;
    deflate_free(d);
    return result;
}

struct deflate_sum deflate_join(struct deflate_sum first, struct deflate_sum second)
{
    return (struct deflate_sum){
        .crc = (uint32_t)crc32_combine(first.crc, second.crc, (z_off_t)second.bytes),
        .bytes = first.bytes + second.bytes};
}
