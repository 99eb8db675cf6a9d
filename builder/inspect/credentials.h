/* Files that hold keys, certificates or kubeconfigs: where they lie, and who may read them. */
#ifndef NB_BUILDER_CREDENTIALS_H
#define NB_BUILDER_CREDENTIALS_H

#include <sys/types.h>

#include "builder/inspect/report.h"

enum { CREDENTIALS_MAX = 1024 };

/* Adds the file to the report if it holds one, at most CREDENTIALS_MAX in all, and a problem when
 * it holds a secret that its mode shows to others. `as` has its path, mode, uid and gid. */
void credentials_read(const struct credential *as, const char *text, size_t len,
                      struct report *report) NONNULL(1, 2, 4);

#endif
