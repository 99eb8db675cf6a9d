#include "builder/package/prepare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cachedir.h"
#include "builder/heap.h"
#include "builder/lock.h"
#include "builder/package/prepare-work.h"
#include "common/cleanup.h"
#include "common/file.h"

enum {
    LOCK_SECONDS = 3600, /* a guest may take its time */
    STATUS_MAX = 64 << 20,
    NOTE_MAX = 64 * 1024,
    IDENTITY_LEN = 64,
    KEPT_MAX = 4, /* prepared bases */
    STATUSES_MAX = 16,
    OPEN_FILES = 8 /* of nftw */
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
    if (debs_scan(w->in->debs, architecture.data, w->in->rehash ? NULL : digests, &w->debs,
                  w->err) < 0 ||
        choose_debs(status, architecture.data, &w->debs, w->in->packages, w->in->package_count,
                    &w->choices, w->err) < 0)
        return -1;
    return find_key(w);
}

/* ---- what is there already ---- */

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

/* 1 when nothing is left to be done, 0, or -1. */
static int find_ready(struct work *w)
{
    if (!recall_status(w))
        return 0;
    if (work_complete(w))
        return 1;
    if (work_choose(w) < 0)
        return -1;
    return find_prepared(w);
}

/* ---- old ones ---- */

struct old {
    char *name;
    struct timespec used;
};

static int by_use(const void *a, const void *b)
{
    const struct timespec *x = &((const struct old *)a)->used, *y = &((const struct old *)b)->used;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? 1 : -1;
    return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

/* Removes all but the newest files with the suffix, and what goes by the same name. */
static void prune(const struct work *w, const char *suffix, const char *with, size_t kept)
{
    struct old *olds = NULL;
    size_t count = 0, cap = 0;
    int fd = openat(w->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        struct stat st;
        if (!ends_with(e->d_name, suffix) || fstatat(w->dir, e->d_name, &st, 0) < 0)
            continue;
        *APPEND(olds, count, cap) = (struct old){heap_copy(e->d_name), st.st_mtim};
    }
    if (dir)
        closedir(dir);
    if (count)
        qsort(olds, count, sizeof *olds, by_use);
    for (size_t i = 0; i < count; i++) {
        char *other AUTO_FREE =
            heap_printf("%.*s%s", (int)(strlen(olds[i].name) - strlen(suffix)), olds[i].name, with);
        if (i >= kept && strncmp(olds[i].name, w->key, strlen(w->key)) != 0) {
            unlinkat(w->dir, other, 0);
            unlinkat(w->dir, olds[i].name, 0);
        }
        free(olds[i].name);
    }
    free(olds);
}

/* ---- making one ---- */

static int remove_item(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int remove_work(const struct work *w)
{
    char *path AUTO_FREE = work_path(w, PREPARE_WORK);
    if (nftw(path, remove_item, OPEN_FILES, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 &&
        errno != ENOENT)
        return error_errno(w->err, "remove %s", path);
    return 0;
}

static int make_locked(struct work *w)
{
    /* Whoever had the lock may have made it. */
    int ready = find_ready(w);
    if (ready)
        return ready < 0 ? -1 : 0;
    if (remove_work(w) < 0)
        return -1;
    if (mkdirat(w->dir, PREPARE_WORK, 0700) < 0)
        return error_errno(w->err, "create %s", PREPARE_WORK);
    int result = work_make(w);
    struct error ignored = ERROR_INIT, *err = w->err;
    w->err = result < 0 ? &ignored : err;
    if (remove_work(w) < 0)
        result = -1;
    w->err = err;
    if (result == 0 && *w->key) {
        prune(w, ".txt", ".raw", KEPT_MAX);
        prune(w, ".status", ".status", STATUSES_MAX);
    }
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
    int result = preparation->debs ? prepare(&w) : 0;
    cleanup_close(&w.dir);
    buffer_free(&w.status);
    choices_free(&w.choices);
    debs_free(&w.debs);
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
