/* Where nodebake's own files lie: beside the program, installed or in the build folder. */
#ifndef NB_BUILDER_INSTALL_H
#define NB_BUILDER_INSTALL_H

#include "common/attributes.h"
#include "common/error.h"

struct install {
    char *data;      /* folder that holds profiles/ and overlays/ */
    char *hook;      /* folder of the initramfs hooks */
    char *firstboot; /* the program for the images */
};

/* Finds them from the program's own path: PREFIX/bin/nodebake has PREFIX/share/nodebake and
 * PREFIX/lib/nodebake; build/nodebake has the source tree above it. */
int install_find(struct install *out, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Where a profile, or the release file of a Kubernetes version, would be; the caller frees it. */
char *install_profile(const struct install *install, const char *name) NONNULL(1, 2);
char *install_release(const struct install *install, const char *kubernetes) NONNULL(1, 2);

/* Frees what the struct holds. */
void install_free(struct install *install);
#define AUTO_INSTALL __attribute__((cleanup(install_free)))

#endif
