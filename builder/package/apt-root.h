/* A folder in which this machine's apt acts for another system: it sees that system's repositories,
 * keys, pins and package database, and nothing of this machine's configuration. */
#ifndef NB_BUILDER_PACKAGE_APT_ROOT_H
#define NB_BUILDER_PACKAGE_APT_ROOT_H

#include "builder/image/disk.h"
#include "builder/image/dpkg.h"

/* How the repositories are reached; NULL: as this machine's environment has it. */
struct apt_access {
    const char *http_proxy, *https_proxy; /* URLs */
    const char *no_proxy;                 /* names of hosts, separated by commas */
};

#define APT_ROOT_ARCHIVES "var/cache/apt/archives" /* where apt puts packages, in the folder */

struct apt_root {
    int dir;              /* the folder */
    char path[64];        /* by which programs that we start reach it; no special characters */
    char *no_proxy;       /* or NULL */
    struct buffer passed; /* repositories that cannot be reached from here, separated by ", " */
};

/* Fills the empty folder `folder`. A system without a repository that can be reached by http or
 * https is an error, and so is a keyring that one needs and the system lacks. */
int apt_root_make(const struct disk_writer *writer, struct disk *disk, struct dpkg_text status,
                  const struct apt_access *access, const char *folder, struct apt_root *out,
                  struct error *err) NONNULL(1, 2, 4, 5, 6, 7) MUST_CHECK;

/* Frees what it holds; the folder stays. */
void apt_root_free(struct apt_root *root);
#define AUTO_APT_ROOT __attribute__((cleanup(apt_root_free)))

#endif
