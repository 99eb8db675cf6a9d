#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "builder/artifact/cache.h"
#include "builder/artifact/members.h"
#include "builder/heap.h"
#include "common/cleanup.h"

static int measure(struct artifact *a, int folder, int cache, struct error *err)
{
    int fd AUTO_CLOSE = openat(folder, a->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, "%s", a->file);
    if (!S_ISREG(st.st_mode))
        return error_set(err, "%s is not a regular file", a->file);
    a->present = true;
    if (cache_holds(cache, a))
        return 0;
    return members_measure(fd, a, err);
}

static int locate_artifact(struct artifact *a, int folder, const char *cache, int cachefd,
                           struct error *err)
{
    a->present = false;
    for (size_t i = 0; i < a->member_count; i++) {
        struct member *m = &a->members[i];
        free(m->host);
        m->host = cache_path(cache, a, m);
        m->size = 0;
    }
    return folder < 0 ? 0 : measure(a, folder, cachefd, err);
}

int release_locate(struct release *release, const char *folder, const char *cache,
                   struct error *err)
{
    int cachefd AUTO_CLOSE = -1;
    int dir AUTO_CLOSE = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* No folder yet: all is absent, and the plan says so. */
    if (dir < 0 && errno != ENOENT)
        return error_errno(err, "artifacts folder %s", folder);
    if (cache_open(cache, false, &cachefd, err) < 0)
        return -1;
    for (size_t i = 0; i < release->artifact_count; i++) {
        struct artifact *a = &release->artifacts[i];
        if (locate_artifact(a, dir, cache, cachefd, err) < 0)
            return error_context(err, "%s:%u: artifacts folder %s", release->file, a->line, folder);
    }
    return 0;
}
