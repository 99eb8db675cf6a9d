#include "builder/pki/keygen.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "builder/heap.h"

enum { THREADS_MAX = 64 };

struct keygen {
    enum key_type type;
    pthread_mutex_t lock;
    pthread_cond_t made;
    pthread_t threads[THREADS_MAX];
    size_t thread_count;
    EVP_PKEY **keys; /* `ready` of them, in no order */
    size_t ready, taken, begun, count;
    bool failed;
    struct error cause;
};

/* Processors that this process may use; one more thread than keys would be idle. */
static size_t threads_for(size_t count)
{
    cpu_set_t set;
    size_t n = sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
    n = n < THREADS_MAX ? n : THREADS_MAX;
    return n < count ? n : count;
}

static bool begin_one(struct keygen *k)
{
    pthread_mutex_lock(&k->lock);
    bool more = k->begun < k->count && !k->failed;
    k->begun += more;
    pthread_mutex_unlock(&k->lock);
    return more;
}

static void *make_keys(void *arg)
{
    struct keygen *k = arg;
    while (begin_one(k)) {
        struct error cause = ERROR_INIT;
        EVP_PKEY *key = NULL;
        int result = x509_key_new(k->type, &key, &cause);
        pthread_mutex_lock(&k->lock);
        if (result == 0)
            k->keys[k->ready++] = key;
        else if (!k->failed) {
            k->failed = true;
            k->cause = cause;
        }
        pthread_cond_broadcast(&k->made);
        pthread_mutex_unlock(&k->lock);
    }
    return NULL;
}

struct keygen *keygen_start(enum key_type type, size_t count)
{
    struct keygen *k = heap_array(1, sizeof *k);
    size_t threads = threads_for(count);
    sigset_t all, before;
    k->type = type;
    k->count = count;
    k->keys = heap_array(count, sizeof(EVP_PKEY *));
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->made, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (k->thread_count < threads &&
           pthread_create(&k->threads[k->thread_count], NULL, make_keys, k) == 0)
        k->thread_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return k;
}

int keygen_take(struct keygen *k, EVP_PKEY **out, struct error *err)
{
    int result = -1;
    if (!k->thread_count) /* none could be started */
        return x509_key_new(k->type, out, err);
    pthread_mutex_lock(&k->lock);
    while (k->taken == k->ready && !k->failed && k->taken < k->count)
        pthread_cond_wait(&k->made, &k->lock);
    if (k->taken < k->ready) {
        *out = k->keys[k->taken];
        k->keys[k->taken++] = NULL;
        result = 0;
    } else {
        error_set(err, "%s", k->failed ? k->cause.text : "no more keys were to be made");
    }
    pthread_mutex_unlock(&k->lock);
    return result;
}

void keygen_stop(struct keygen *k)
{
    pthread_mutex_lock(&k->lock);
    k->count = k->begun;
    pthread_mutex_unlock(&k->lock);
    for (size_t i = 0; i < k->thread_count; i++)
        pthread_join(k->threads[i], NULL);
    for (size_t i = k->taken; i < k->ready; i++)
        x509_key_free_at(&k->keys[i]);
    pthread_cond_destroy(&k->made);
    pthread_mutex_destroy(&k->lock);
    free(k->keys);
    free(k);
}
