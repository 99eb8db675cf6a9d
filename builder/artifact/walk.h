/* Walks over an archive (tar in any compression, zip) and stops at the members that an artifact
 * lists. No name in the archive ever becomes a path. */
#ifndef NB_BUILDER_WALK_H
#define NB_BUILDER_WALK_H

#include "builder/artifact/release.h"
#include "builder/progress.h"

#define MEMBER_MAX (UINT64_C(2) << 30) /* bytes of one member */

struct archive;
struct archive_entry;

/* Called once for each listed member, which is a regular file with a size of at most MEMBER_MAX;
 * index counts in artifact->members. */
typedef int walk_visitor(struct archive *archive, struct archive_entry *entry, size_t index,
                         void *ctx, struct error *err);

/* Walks until each listed member was visited, or when `whole` to the end, so that a repeated one
 * is noticed. Missing members are errors. progress (may be NULL) counts bytes of the file. */
int archive_walk(int fd, const struct artifact *artifact, bool whole, walk_visitor *visit,
                 void *ctx, struct progress *progress, struct error *err)
    NONNULL(2, 4, 7) MUST_CHECK;

#endif
