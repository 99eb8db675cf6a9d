#include "builder/package/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cachedir.h"
#include "builder/heap.h"
#include "builder/lock.h"
#include "builder/package/prepare-work.h"
#include "builder/package/prune.h"
#include "builder/package/selection.h"
#include "common/cleanup.h"
#include "common/file.h"

enum {
    LOCK_SECONDS = 3600, /* a guest may take its time */
    STATUS_MAX = 64 << 20,
    NOTE_MAX = 64 * 1024,
    IDENTITY_LEN = 64,
    KEPT_MAX = 4, /* prepared bases */
    STATUSES_MAX = 16
};

char *work_path(const struct work *w, const char *name)
{
    return heap_printf("%s/bases/%s", w->in->cache, name);
}

bool work_complete(const struct work *w)
{
    struct buffer names AUTO_BUFFER = buffer_heap();
    return dpkg_missing(w->status.data, w->status.len, w->in->packages, w->in->package_count,
                        &names) == 0;
}

void work_names(const struct work *w, struct buffer *out)
{
    for (size_t i = 0; i < w->choices.count; i++)
        buffer_printf(out, "%s%s", i ? ", " : "", w->choices.items[i].deb->name);
}

/* ---- the key ---- */

/* How it is installed follows from the rest. */
static int find_key(struct work *w)
{
    struct buffer text AUTO_BUFFER = buffer_heap();
    const char *version = NODEBAKE_VERSION;
    buffer_printf(&text, "nodebake %s\nbase %s\nwriter %s\nmtime %lld\n", version, w->base,
                  w->in->writer ? w->in->writer->name : "auto", (long long)w->in->mtime);
    for (size_t i = 0; i < w->choices.count; i++)
        buffer_printf(&text, "package %s %d\n", w->choices.items[i].deb->sha256,
                      w->choices.items[i].wanted);
    return digest_memory(text.data, text.len, "sha256", w->key, w->err);
}

int work_choose(struct work *w)
{
    struct buffer architecture AUTO_BUFFER = buffer_heap();
    struct dpkg_text status = {w->status.data, w->status.len};
    char *digests AUTO_FREE = heap_printf("%s/digests", w->in->cache);
    choices_free(&w->choices);
    debs_free(&w->debs);
    if (!dpkg_architecture(w->status.data, w->status.len, &architecture))
        return error_set(w->err, "the base's package database does not list dpkg itself");
    if (debs_scan(w->folder, architecture.data, w->in->rehash ? NULL : digests, &w->debs, w->err) <
            0 ||
        choose_debs(status, architecture.data, &w->debs, w->in->packages, w->in->package_count,
                    &w->choices, w->err) < 0)
        return -1;
    return find_key(w);
}

/* ---- what is there already ---- */

int work_keep_status(struct work *w, const char *status, size_t len)
{
    char *name AUTO_FREE = heap_printf("%s.status", w->base);
    buffer_clear(&w->status);
    buffer_add(&w->status, status, len);
    return file_publish(w->dir, name, w->status.data, w->status.len, 0600, w->err);
}

static bool recall_status(struct work *w)
{
    struct error ignored = ERROR_INIT;
    char *name AUTO_FREE = heap_printf("%s.status", w->base);
    buffer_clear(&w->status);
    if (w->dir < 0 || file_read(w->dir, name, STATUS_MAX, &w->status, &ignored) < 0)
        buffer_clear(&w->status);
    return w->status.len > 0;
}

bool work_identify(const struct work *w)
{
    struct error ignored = ERROR_INIT;
    struct buffer text AUTO_BUFFER = buffer_heap();
    char *note AUTO_FREE = heap_printf("%s.txt", w->key);
    if (file_read(w->dir, note, NOTE_MAX, &text, &ignored) < 0 ||
        strspn(text.data, "0123456789abcdef") != IDENTITY_LEN || text.data[IDENTITY_LEN] != '\n')
        return false;
    memcpy(w->out->identity, text.data, IDENTITY_LEN);
    w->out->identity[IDENTITY_LEN] = '\0';
    return true;
}

/* Is the prepared base there? Its note is touched; the base itself keeps its times, by which builds
 * know it again. */
static bool find_prepared(struct work *w)
{
    struct stat st;
    char *raw AUTO_FREE = heap_printf("%s.raw", w->key);
    char *note AUTO_FREE = heap_printf("%s.txt", w->key);
    if (fstatat(w->dir, raw, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
        !work_identify(w))
        return false;
    utimensat(w->dir, note, NULL, 0); /* when it fails, an old base goes earlier */
    if (w->in->dry) {
        struct buffer names AUTO_BUFFER = buffer_heap();
        work_names(w, &names);
        w->out->says = heap_printf("would build on a base with %s, which is prepared", names.data);
    } else {
        w->out->path = work_path(w, raw);
    }
    return true;
}

/* Is it known which packages there are to choose from? 1, 0 or -1. */
static int find_folder(struct work *w)
{
    if (!w->folder && !w->in->refresh && selection_find(w) < 0)
        return -1;
    return w->folder != NULL;
}

/* 1 when nothing is left to be done, 0, or -1. */
static int find_ready(struct work *w)
{
    if (!recall_status(w))
        return 0;
    if (work_complete(w))
        return 1;
    int found = find_folder(w);
    if (found <= 0)
        return found;
    if (work_choose(w) < 0)
        return -1;
    return find_prepared(w);
}

/* ---- making one ---- */

static int remove_work(const struct work *w)
{
    char *path AUTO_FREE = work_path(w, PREPARE_WORK);
    return prune_tree(path, w->err);
}

int work_begin(const struct work *w)
{
    if (remove_work(w) < 0)
        return -1;
    if (mkdirat(w->dir, PREPARE_WORK, 0700) < 0)
        return error_errno(w->err, "create %s", PREPARE_WORK);
    return 0;
}

/* Asks the repositories first, when that is needed; 1 when nothing is left to be done. */
static int get_packages(struct work *w)
{
    int found = find_folder(w);
    if (found)
        return found < 0 ? -1 : 0;
    if (work_begin(w) < 0 || selection_fetch(w) < 0)
        return -1;
    return w->folder ? find_ready(w) : 1;
}

static int make_or_look(struct work *w)
{
    int ready = get_packages(w);
    if (ready)
        return ready < 0 ? -1 : 0;
    return work_begin(w) < 0 ? -1 : work_make(w);
}

static void prune(const struct work *w)
{
    char *bases AUTO_FREE = work_path(w, ".");
    if (!*w->key)
        return;
    prune_old(bases, ".txt", ".raw", KEPT_MAX, w->key);
    prune_old(bases, ".status", ".status", STATUSES_MAX, w->key);
}

static int make_locked(struct work *w)
{
    /* Whoever had the lock may have made it. */
    int ready = find_ready(w);
    if (ready)
        return ready < 0 ? -1 : 0;
    int result = make_or_look(w);
    struct error ignored = ERROR_INIT, *err = w->err;
    w->err = result < 0 ? &ignored : err;
    if (remove_work(w) < 0)
        result = -1;
    w->err = err;
    if (result == 0)
        prune(w);
    return result;
}

static int make(struct work *w)
{
    int lock AUTO_CLOSE = -1;
    if (lock_take(w->dir, ".lock", LOCK_SECONDS, &lock, w->err) < 0)
        return error_context(w->err, "cache folder");
    return make_locked(w);
}

static int prepare(struct work *w)
{
    char *digests AUTO_FREE = heap_printf("%s/digests", w->in->cache);
    if (cachedir_open(w->in->cache, "bases", true, &w->dir, w->err) < 0 ||
        digest_kept(digests, w->in->image.path, w->in->rehash, w->base, w->err) < 0)
        return -1;
    int ready = find_ready(w);
    return ready ? (ready < 0 ? -1 : 0) : make(w);
}

int base_prepare(const struct preparation *preparation, struct prepared *out, struct error *err)
{
    struct work w = {.in = preparation, .out = out, .dir = -1, .status = buffer_heap(), .err = err};
    *out = (struct prepared){0};
    w.folder = heap_copy(preparation->debs);
    int result = preparation->debs || preparation->repositories ? prepare(&w) : 0;
    cleanup_close(&w.dir);
    buffer_free(&w.status);
    choices_free(&w.choices);
    debs_free(&w.debs);
    free(w.folder);
    if (result < 0)
        prepared_free(out);
    return result < 0 ? error_context(err, "%s", preparation->image.path) : 0;
}

void prepared_free(struct prepared *prepared)
{
    free(prepared->path);
    free(prepared->says);
    *prepared = (struct prepared){0};
}
