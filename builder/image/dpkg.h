/* dpkg's database, /var/lib/dpkg/status, read from memory. */
#ifndef NB_BUILDER_DPKG_H
#define NB_BUILDER_DPKG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/buffer.h"

/* Is the package installed and configured ("Status: … ok installed")? Any architecture will do. */
bool dpkg_installed(const char *status, size_t len, const char *package) NONNULL(3);

/* Appends the names that are not installed, separated by ", "; returns how many there are. */
size_t dpkg_missing(const char *status, size_t len, const char *const *packages, size_t n,
                    struct buffer *names) NONNULL(5);

/* Appends Debian's word for the machine ("amd64"), which is the architecture of dpkg itself;
 * false when dpkg is not in its own database. */
bool dpkg_architecture(const char *status, size_t len, struct buffer *architecture) NONNULL(3);

#endif
