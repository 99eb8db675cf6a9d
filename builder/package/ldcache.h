/* /etc/ld.so.cache, in which the loader looks for shared libraries. What ldconfig would do for the
 * libraries that packages bring is done to the cache of the system. */
#ifndef NB_BUILDER_LDCACHE_H
#define NB_BUILDER_LDCACHE_H

#include "builder/package/changes.h"

/* Adds the new cache to the changes when libraries among them belong into it. 1, 0 when only
 * ldconfig itself can do it (err says why), or -1. */
int ldcache_update(struct changes *changes, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* A library in a cache. */
struct ldcache_item {
    char *name; /* "libmnl.so.0" */
    char *path;
    uint32_t flags, version;
    uint64_t hwcap;
};

struct ldcache {
    struct ldcache_item *items; /* in the order in which the loader searches */
    size_t count, cap;
    char *generator; /* who made it, or NULL */
};

/* Reads a cache: false when it is damaged, or of another form than glibc 2.33 and later make. */
bool ldcache_parse(const char *bytes, size_t len, struct ldcache *out) NONNULL(3);

/* Puts a library where it belongs. One that is there already stays alone. */
void ldcache_add(struct ldcache *cache, const char *name, const char *path) NONNULL(1, 2, 3);

/* Appends the cache as a file. */
void ldcache_format(const struct ldcache *cache, struct buffer *out) NONNULL(1, 2);

/* Frees what it holds. */
void ldcache_free(struct ldcache *cache);
#define AUTO_LDCACHE __attribute__((cleanup(ldcache_free)))

#endif
