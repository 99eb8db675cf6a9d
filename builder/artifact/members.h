/* The listed members of one artifact: their sizes, and their bytes. Nothing else of an archive is
 * looked at, and no name in it becomes a path. */
#ifndef NB_BUILDER_MEMBERS_H
#define NB_BUILDER_MEMBERS_H

#include "builder/artifact/release.h"
#include "builder/progress.h"

/* Sets the size of each member, from the headers of the open file. A member that is not there, or
 * that is no plain file, is an error. */
int members_measure(int fd, struct artifact *artifact, struct error *err) NONNULL(2, 3) MUST_CHECK;

/* Writes each member into the directory under its own name and with its mode, and fsyncs it. The
 * name must be free there. progress counts bytes of the artifact and may be NULL. */
int members_extract(int fd, const struct artifact *artifact, int dirfd, struct progress *progress,
                    struct error *err) NONNULL(2, 5) MUST_CHECK;

#endif
