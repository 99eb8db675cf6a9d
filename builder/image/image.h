/* A tree written into the system on a disk, and into its initramfs. */
#ifndef NB_BUILDER_IMAGE_H
#define NB_BUILDER_IMAGE_H

#include "builder/image/base.h"
#include "builder/image/disk.h"
#include "builder/tree/tree.h"
#include "common/attributes.h"
#include "common/error.h"

/* Entries of the tree that go into the initramfs, too: the program, and the script that runs it.
 * A tree without them is an error. */
#define IMAGE_FIRSTBOOT        "/usr/lib/nodebake/firstboot"
#define IMAGE_INITRAMFS_SCRIPT "/etc/initramfs-tools/scripts/local-bottom/nodebake"

/* Takes away what the sorted tree says is to go, writes the others, then a new version of each
 * initrd; the base's initrds must be scanned. The room that this takes is checked before the first
 * write. `name` stands in the progress. */
int image_write(const struct disk_writer *writer, struct disk *disk, const struct base *base,
                const struct tree *tree, const char *name, struct error *err)
    NONNULL(1, 2, 3, 4, 5, 6) MUST_CHECK;

/* Writes the sorted tree, and no initrd; room is checked in the same way. */
int image_add(const struct disk_writer *writer, struct disk *disk, const struct tree *tree,
              const char *name, struct error *err) NONNULL(1, 2, 3, 4, 5) MUST_CHECK;

#endif
