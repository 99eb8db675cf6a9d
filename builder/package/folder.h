/* The folder of .deb files that the user gives. */
#ifndef NB_BUILDER_PACKAGE_FOLDER_H
#define NB_BUILDER_PACKAGE_FOLDER_H

#include "builder/package/deb.h"
#include "builder/package/known.h"

enum { FOLDER_DEBS_MAX = 4096 };

struct deb_set {
    char *folder;
    struct deb **items; /* sorted by the names of their files */
    size_t count, cap;
};

/* Opens every *.deb in the folder that is for the architecture or for all. Digests come from
 * `known` where it has them, and are added to it. */
int debs_scan(const char *folder, const char *architecture, struct known *known,
              struct deb_set *out, struct error *err) NONNULL(1, 2, 3, 4, 5) MUST_CHECK;

/* Frees what it holds. */
void debs_free(struct deb_set *set);
#define AUTO_DEBS __attribute__((cleanup(debs_free)))

#endif
