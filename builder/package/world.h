/* The packages of a system and those that could come to it, as libsolv sees them. Only the files
 * that include this one know libsolv. */
#ifndef NB_BUILDER_PACKAGE_WORLD_H
#define NB_BUILDER_PACKAGE_WORLD_H

#include <solv/pool.h>
#include <solv/repo.h>

#include "builder/image/dpkg.h"
#include "common/attributes.h"
#include "common/error.h"

/* Packages are libsolv's "solvables"; their numbers are its Ids. */
struct world {
    Pool *pool;
    Repo *installed, *offered;
};

/* An empty world of this architecture (and of "all"), with Debian's order of versions. */
int world_create(const char *architecture, struct world *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Adds what the package database lists as installed. Packages of other architectures are left
 * out. */
int world_add_installed(struct world *world, const char *architecture, struct dpkg_text status,
                        struct error *err) NONNULL(1, 2, 4) MUST_CHECK;

/* Adds a package that could be installed, by its stanza; *id is its number. */
int world_add_offered(struct world *world, struct dpkg_text stanza, Id *id, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Ends the adding. */
void world_finish(struct world *world) NONNULL(1);

/* Compares two versions: below, at or above 0. Before world_finish, too. */
int world_compare(const struct world *world, const char *a, const char *b) NONNULL(1, 2, 3);

/* Takes the revisions away that versions got here: in libsolv's messages "1.0" is "1.0-0". */
void world_plain(char *text) NONNULL(1);

/* Frees what it holds. */
void world_free(struct world *world);
#define AUTO_WORLD __attribute__((cleanup(world_free)))

#endif
