#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/artifact/cache.h"
#include "builder/artifact/members.h"
#include "builder/digest.h"
#include "builder/heap.h"
#include "builder/lock.h"
#include "builder/progress.h"
#include "common/cleanup.h"

enum { LOCK_SECONDS = 600 };

/* The folders of one run; the lock is taken when there is something to write. */
struct work {
    int folder, cache, lock;
};

static int verify(int fd, const struct artifact *a, const struct stat *st, struct error *err)
{
    char hex[DIGEST_HEX_MAX];
    struct progress p = progress_start((uint64_t)st->st_size, "verify %s", a->file);
    int result = digest_fd(fd, a->algorithm, &p, hex, err);
    progress_end(&p);
    if (result < 0)
        return error_context(err, "verify %s", a->file);
    if (strcmp(hex, a->digest) != 0)
        return error_set(err,
                         "%s is not the pinned file: its %s is %s, wanted is %s; get the right "
                         "file, or pin this one",
                         a->file, a->algorithm, hex, a->digest);
    return 0;
}

/* The bytes that were hashed must be those that were unpacked. */
static int check_unchanged(int fd, const struct artifact *a, const struct stat *before,
                           struct error *err)
{
    struct stat now;
    if (fstat(fd, &now) < 0)
        return error_errno(err, "%s", a->file);
    if (now.st_size != before->st_size || now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != before->st_mtim.tv_nsec ||
        now.st_ctim.tv_sec != before->st_ctim.tv_sec ||
        now.st_ctim.tv_nsec != before->st_ctim.tv_nsec)
        return error_set(err, "%s was changed while it was read; run this again", a->file);
    return 0;
}

static int unpack_members(int fd, const struct artifact *a, int cache, const struct stat *st,
                          struct error *err)
{
    int dirfd AUTO_CLOSE = -1;
    if (cache_begin(cache, &dirfd, err) < 0)
        return error_context(err, "cache folder");
    struct progress p = progress_start((uint64_t)st->st_size, "unpack %s", a->file);
    int result = members_extract(fd, a, dirfd, &p, err);
    progress_end(&p);
    if (result < 0 || check_unchanged(fd, a, st, err) < 0)
        return -1;
    if (cache_commit(cache, dirfd, a, st, err) < 0)
        return error_context(err, "cache folder");
    return 0;
}

static int unpack_locked(int fd, struct artifact *a, const struct work *w, const struct stat *st,
                         struct error *err)
{
    if (verify(fd, a, st, err) < 0)
        return -1;
    if (!cache_holds(w->cache, a))
        return unpack_members(fd, a, w->cache, st, err);
    if (check_unchanged(fd, a, st, err) < 0)
        return -1;
    return cache_note_verified(w->cache, a, st, err);
}

static bool is_done(struct artifact *a, const struct work *w, const struct stat *st)
{
    return cache_holds(w->cache, a) && cache_verified(w->cache, a, st);
}

static int unpack_artifact(struct artifact *a, struct work *w, struct error *err)
{
    struct stat st;
    int fd AUTO_CLOSE = openat(w->folder, a->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, "%s", a->file);
    if (!S_ISREG(st.st_mode))
        return error_set(err, "%s is not a regular file", a->file);
    if (is_done(a, w, &st))
        return 0;
    if (w->lock < 0 && lock_take(w->cache, ".lock", LOCK_SECONDS, &w->lock, err) < 0)
        return error_context(err, "cache folder");
    /* Whoever had the lock may have unpacked it. */
    if (!is_done(a, w, &st) && unpack_locked(fd, a, w, &st, err) < 0)
        return -1;
    if (!cache_holds(w->cache, a)) /* sets the sizes */
        return error_set(err, "the files unpacked from %s were changed at once", a->file);
    return 0;
}

int release_unpack(struct release *release, const char *folder, const char *cache,
                   struct error *err)
{
    int dir AUTO_CLOSE = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int cachefd AUTO_CLOSE = -1, lock AUTO_CLOSE = -1;
    if (dir < 0)
        return error_errno(err, "artifacts folder %s", folder);
    if (cache_open(cache, true, &cachefd, err) < 0)
        return -1;
    struct work w = {dir, cachefd, -1};
    int result = 0;
    for (size_t i = 0; i < release->artifact_count && result == 0; i++) {
        struct artifact *a = &release->artifacts[i];
        if (a->present && unpack_artifact(a, &w, err) < 0)
            result =
                error_context(err, "%s:%u: artifacts folder %s", release->file, a->line, folder);
    }
    lock = w.lock;
    return result;
}
