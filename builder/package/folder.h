/* The folder of .deb files that the user gives. */
#ifndef NB_BUILDER_PACKAGE_FOLDER_H
#define NB_BUILDER_PACKAGE_FOLDER_H

#include "builder/package/deb.h"

enum { FOLDER_DEBS_MAX = 4096 };

struct deb_set {
    char *folder;
    struct deb **items; /* sorted by the names of their files */
    size_t count, cap;
};

/* Opens every *.deb in the folder that is for the architecture or for all. Their digests are
 * remembered in the folder `kept`, as by digest_kept; NULL: they are not. */
int debs_scan(const char *folder, const char *architecture, const char *kept, struct deb_set *out,
              struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Frees what it holds. */
void debs_free(struct deb_set *set);
#define AUTO_DEBS __attribute__((cleanup(debs_free)))

#endif
