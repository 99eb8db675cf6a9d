/* What the files of the preparation share. */
#ifndef NB_BUILDER_PREPARE_WORK_H
#define NB_BUILDER_PREPARE_WORK_H

#include "builder/package/choose.h"
#include "builder/package/prepare.h"

#define PREPARE_WORK ".work"

/* A preparation under way. */
struct work {
    const struct preparation *in;
    struct prepared *out;
    int dir;                   /* CACHE/bases */
    char base[DIGEST_HEX_MAX]; /* the base's SHA-256 */
    struct buffer status;      /* its package database; empty: not known yet */
    char *folder;              /* of the packages to choose from; NULL: not known yet */
    struct deb_set debs;
    struct choices choices;
    char key[DIGEST_HEX_MAX]; /* of the prepared base; "": not worked out */
    struct error *err;
};

/* A path below CACHE/bases; the caller frees it. */
char *work_path(const struct work *w, const char *name) NONNULL(1, 2);

/* Makes the folder CACHE/bases/.work anew; the lock is held. */
int work_begin(const struct work *w) NONNULL(1) MUST_CHECK;

/* Remembers the base's package database, so that the next build need not look. */
int work_keep_status(struct work *w, const char *status, size_t len) NONNULL(1, 2) MUST_CHECK;

/* Does the database list all packages? */
bool work_complete(const struct work *w) NONNULL(1);

/* Chooses the packages to install, and works out the key. */
int work_choose(struct work *w) NONNULL(1) MUST_CHECK;

/* The packages to install, separated by ", ". */
void work_names(const struct work *w, struct buffer *out) NONNULL(1, 2);

/* Reads the identity of the prepared base from its note into the outcome. False when there is none.
 */
bool work_identify(const struct work *w) NONNULL(1);

/* Copies the base to the folder .work, which is empty, looks at it, and makes the prepared base if
 * packages are missing; sets says. The lock is held. */
int work_make(struct work *w) NONNULL(1) MUST_CHECK;

#endif
