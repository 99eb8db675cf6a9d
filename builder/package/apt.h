/* This machine's apt at work in a folder (apt-root.h): which packages another system needs, and
 * fetching them. Signatures are checked by apt, with that system's keys; errors cite what it says.
 */
#ifndef NB_BUILDER_PACKAGE_APT_H
#define NB_BUILDER_PACKAGE_APT_H

#include <stdint.h>

#include "builder/package/apt-root.h"

/* A package to be fetched. */
struct apt_file {
    char *name; /* of the file, NAME_VERSION_ARCHITECTURE.deb */
    uint64_t size;
};

struct apt_files {
    struct apt_file *items;
    size_t count, cap;
    uint64_t bytes; /* of all */
};

/* Fetches and verifies the lists of all repositories; one that fails is an error. */
int apt_update(const struct apt_root *root, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Finds what has to be fetched so that the system has the n packages: them, and what they need in
 * turn. Names that no repository has, and packages that would replace others, are errors. */
int apt_choose(const struct apt_root *root, const char *const *names, size_t n,
               struct apt_files *out, struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Fetches and verifies those files into the root's folder of archives. */
int apt_fetch(const struct apt_root *root, const char *const *names, size_t n,
              const struct apt_files *files, struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Appends what apt says went wrong, from all that it printed, as one line. */
void apt_complaint(const struct apt_root *root, struct dpkg_text said, struct buffer *out)
    NONNULL(1, 3);

/* Frees what it holds. */
void apt_files_free(struct apt_files *files);
#define AUTO_APT_FILES __attribute__((cleanup(apt_files_free)))

#endif
