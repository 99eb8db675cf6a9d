/* What was unpacked from verified artifacts, kept from run to run:
 *
 *     CACHE/artifacts/.lock               held by whoever writes
 *     CACHE/artifacts/.unpacking/         what is not complete yet
 *     CACHE/artifacts/DIGEST/MEMBER       the unpacked files
 *     CACHE/artifacts/DIGEST/.members     what each of them was when it was unpacked
 *     CACHE/artifacts/DIGEST/.verified    what the artifact was when its digest was right
 *
 * Functions take a descriptor of CACHE/artifacts. */
#ifndef NB_BUILDER_CACHE_H
#define NB_BUILDER_CACHE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "builder/artifact/release.h"

/* Opens CACHE/artifacts; with `create` it is made first, 0700, else *fd is -1 when it is not
 * there. A folder where others could plant files is an error. */
int cache_open(const char *cache, bool create, int *fd, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Where the member is, or will be. The caller frees it. */
char *cache_path(const char *cache, const struct artifact *artifact, const struct member *member)
    NONNULL(1, 2, 3);

/* Are all members there, unchanged since they were unpacked from the same paths? If so, sets
 * their sizes. A negative fd holds nothing. */
bool cache_holds(int fd, struct artifact *artifact) NONNULL(2);

/* Is this the very file that had the right digest before: size, times and inode unchanged? */
bool cache_verified(int fd, const struct artifact *artifact, const struct stat *st) NONNULL(2, 3);

/* Remembers that the file had the right digest. */
int cache_note_verified(int fd, const struct artifact *artifact, const struct stat *st,
                        struct error *err) NONNULL(2, 3, 4) MUST_CHECK;

/* Opens an empty folder to unpack into; what an interrupted run left is removed. The caller holds
 * the lock, and closes *dirfd. */
int cache_begin(int fd, int *dirfd, struct error *err) NONNULL(2, 3) MUST_CHECK;

/* Gives the folder its final name, in place of an older one. */
int cache_commit(int fd, int dirfd, const struct artifact *artifact, const struct stat *st,
                 struct error *err) NONNULL(3, 4, 5) MUST_CHECK;

#endif
