/* Walks over one of the two tar archives in a .deb. */
#ifndef NB_BUILDER_DEB_WALK_H
#define NB_BUILDER_DEB_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/error.h"

struct archive;
struct archive_entry;

/* Called for each entry; what it holds can be read from `tar`. */
typedef int deb_visitor(struct archive *tar, struct archive_entry *entry, void *ctx,
                        struct error *err);

/* Bounds of an archive. */
struct deb_bounds {
    size_t entries;
    uint64_t bytes; /* of all entries together */
};

/* Visits the entries of `member`, "control" or "data", of the open file. The file must begin as a
 * .deb does; tar.gz, tar.xz, tar.zst and plain tar are known. */
int deb_walk(int fd, const char *member, const struct deb_bounds *bounds, deb_visitor *visit,
             void *ctx, struct error *err) NONNULL(2, 3, 4, 6) MUST_CHECK;

#endif
