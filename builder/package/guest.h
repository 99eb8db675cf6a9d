/* Installing packages by the system's own dpkg, in the appliance. */
#ifndef NB_BUILDER_PACKAGE_GUEST_H
#define NB_BUILDER_PACKAGE_GUEST_H

#include "builder/image/disk.h"
#include "builder/package/choose.h"

/* Installs the choices by a writer that can run programs; no service starts, and what is only there
 * for the installation (logs, host keys, files of ours) is gone afterwards. */
int guest_install(const struct disk_writer *writer, struct disk *disk,
                  const struct choices *choices, time_t mtime, struct error *err)
    NONNULL(1, 2, 3, 5) MUST_CHECK;

#endif
