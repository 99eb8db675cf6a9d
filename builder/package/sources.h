/* The repositories that a system's apt knows: sources.list, and the files of sources.list.d in both
 * of their formats. */
#ifndef NB_BUILDER_PACKAGE_SOURCES_H
#define NB_BUILDER_PACKAGE_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/image/dpkg.h"
#include "builder/texts.h"
#include "common/attributes.h"
#include "common/error.h"

enum { SOURCES_MAX = 256 };

/* One entry. What it says about trust without a signature is left out. */
struct source {
    char *file;              /* that it stands in */
    struct texts uris;       /* each begins with a scheme */
    struct texts suites;     /* at least one */
    struct texts components; /* none beside a suite that ends with "/" */
    struct texts keys;       /* paths of keyrings, and fingerprints */
    char *key_block;         /* keys in the entry itself, as deb822 has them; or NULL */
    char *check_valid_until; /* "no": it may have expired; or NULL */
};

struct sources {
    struct source *items;
    size_t count, cap;
};

/* Adds what a file says of binary packages for the architecture. `file` ends with .list or .sources
 * and stands in errors. */
int sources_read(const char *file, struct dpkg_text text, const char *architecture,
                 struct sources *out, struct error *err) NONNULL(1, 3, 4, 5) MUST_CHECK;

/* Frees what it holds. */
void sources_free(struct sources *sources);
#define AUTO_SOURCES __attribute__((cleanup(sources_free)))

#endif
