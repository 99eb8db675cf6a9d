/* Which packages have to come to a base, so that it has those wanted and all that they need. */
#ifndef NB_BUILDER_PACKAGE_CHOOSE_H
#define NB_BUILDER_PACKAGE_CHOOSE_H

#include <stdbool.h>

#include "builder/package/folder.h"

/* A package to install. */
struct choice {
    struct deb *deb; /* one of the set */
    bool wanted;     /* asked for by name; else another needs it */
    bool upgrade;    /* an older version is installed */
};

/* In an order in which they can be installed: what is needed stands before who needs it, unless
 * they need each other. */
struct choices {
    struct choice *items;
    size_t count, cap;
};

/* Chooses among the set's newest versions. Packages that are installed are left as they are, unless
 * one to come needs them newer; recommended ones are not chosen. What neither the base nor the set
 * has is an error that names each such package and who needs it; so is one that cannot stand beside
 * an installed one. `status` is the base's package database. */
int choose_debs(struct dpkg_text status, const char *architecture, const struct deb_set *set,
                const char *const *wanted, size_t n, struct choices *out, struct error *err)
    NONNULL(2, 3, 6, 7) MUST_CHECK;

/* Frees what it holds; the packages stay the set's. */
void choices_free(struct choices *choices);
#define AUTO_CHOICES __attribute__((cleanup(choices_free)))

#endif
