/* What the repositories of a base had, when they were asked for packages that it lacks:
 *
 *     CACHE/packages/KEY/         .deb files of the packages and of what they need
 *     CACHE/packages/KEY.list     their digests; its time is that of the last use
 *
 * The key stands for the base and the names of the packages, so that the same question has the same
 * answer until the user wants another. */
#ifndef NB_BUILDER_PACKAGE_SELECTION_H
#define NB_BUILDER_PACKAGE_SELECTION_H

#include "builder/package/prepare-work.h"

/* Sets the folder when the answer is known and its packages are as they were fetched. */
int selection_find(struct work *w) NONNULL(1) MUST_CHECK;

/* Asks the repositories, and sets the folder; a dry run sets says instead, and a base that lacks
 * nothing neither. The lock is held, and the folder .work is empty. */
int selection_fetch(struct work *w) NONNULL(1) MUST_CHECK;

#endif
