/* What fills the folder of apt-root.h. Paths are those in the system. */
#ifndef NB_BUILDER_PACKAGE_APT_FILL_H
#define NB_BUILDER_PACKAGE_APT_FILL_H

#include "builder/package/apt-root.h"
#include "builder/package/sources.h"

enum { FILL_FILE_MAX = 4 << 20 };

/* The folder while it is filled. */
struct filling {
    const struct disk_writer *writer;
    struct disk *disk;
    struct apt_root *root;
    const char *architecture;
    struct sources sources;
    struct texts copied; /* paths of files that the folder has already */
    struct error *err;
};

typedef int fill_step(struct filling *f, const char *path);

/* Writes a new file into the folder, and makes those above it. */
int fill_put(struct filling *f, const char *path, const char *bytes, size_t n)
    NONNULL(1, 2) MUST_CHECK;

/* Copies a file of the system, unless it has been copied. */
int fill_copy(struct filling *f, const char *path) NONNULL(1, 2) MUST_CHECK;

/* Takes the step with the file, when it is there. */
int fill_with_file(struct filling *f, const char *path, fill_step *step)
    NONNULL(1, 2, 3) MUST_CHECK;

/* The same with the files of a folder that apt would look at, by their suffixes (NULL at the end);
 * "" stands for names without. */
int fill_with_folder(struct filling *f, const char *folder, const char *const *suffixes,
                     fill_step *step) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Puts the system's repositories in our words: keyrings by their copies, no trust without a
 * signature; what cannot be reached is noted as passed over. */
int fill_sources(struct filling *f) NONNULL(1) MUST_CHECK;

#endif
