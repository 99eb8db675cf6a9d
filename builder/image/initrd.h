/* What is inside an initrd: cpio archives one behind the other, the last one compressed. */
#ifndef NB_BUILDER_INITRD_H
#define NB_BUILDER_INITRD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

/* Archives that we append are gzip streams with this name in their header, so that they are
 * found again without unpacking what stands before them. */
#define INITRD_MARK "nodebake-firstboot"

/* Folders that the added files need. */
#define INITRD_FOLDERS                                                                             \
    {                                                                                              \
        "scripts", "scripts/local-bottom", "usr", "usr/lib", "usr/lib/nodebake"                    \
    }
enum { INITRD_FOLDER_COUNT = 5 };

enum initrd_item { INITRD_NOTHING, INITRD_DIR, INITRD_LINK, INITRD_OTHER };

struct initrd {
    bool tools;                                    /* initramfs-tools made it */
    bool baked;                                    /* it holds our script, or our archive */
    enum initrd_item folders[INITRD_FOLDER_COUNT]; /* what is there, in the order of the names */
    struct buffer order;                           /* scripts/local-bottom/ORDER */
};

/* Reads the initrd; *out must be a struct whose order is an empty buffer. Damage and more than
 * the bounds of initramfs.h are errors. */
int initrd_scan(const void *bytes, size_t len, struct initrd *out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

#endif
