#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "builder/heap.h"
#include "builder/image/base-file.h"

struct import {
    const struct disk_file *base;
    const char *raw;
    pthread_t thread;
    bool beside; /* there is a thread */
    int result;
    struct error err;
};

static void *work(void *ctx)
{
    struct import *import = ctx;
    import->result = image_import(import->base, import->raw, &import->err);
    return NULL;
}

/* Signals are for the thread that has always got them. Without a thread it is done at once. */
void image_import_begin(const struct disk_file *base, const char *raw, struct import **out)
{
    struct import *import = *out = heap_array(1, sizeof *import);
    sigset_t all, before;
    import->base = base;
    import->raw = raw;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    import->beside = pthread_create(&import->thread, NULL, work, import) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!import->beside)
        work(import);
}

int image_import_end(struct import *import, struct error *err)
{
    if (import->beside)
        pthread_join(import->thread, NULL);
    int result = import->result;
    if (result < 0)
        *err = import->err;
    free(import);
    return result;
}
