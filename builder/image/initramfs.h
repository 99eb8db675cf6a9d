/* An initrd of initramfs-tools, and the small archive that is appended to it. */
#ifndef NB_BUILDER_INITRAMFS_H
#define NB_BUILDER_INITRAMFS_H

#include <stddef.h>
#include <time.h>

#include "builder/image/initrd.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

enum {
    INITRD_MAX = 128 << 20,         /* bytes of an initrd as it lies on disk */
    INITRD_UNPACKED_MAX = 1 << 30,  /* bytes of it unpacked */
    INITRAMFS_PROGRAM_MAX = 1 << 20 /* bytes of each file that is added */
};

/* What is added: the program, at usr/lib/nodebake/firstboot, and the script that runs it, at
 * scripts/local-bottom/nodebake. */
struct initramfs_addition {
    const void *firstboot;
    size_t firstboot_len;
    const void *script;
    size_t script_len;
    time_t mtime; /* of all that is added */
};

/* Appends the initrd, and behind it an archive with the addition, to `out`; the old lines of
 * scripts/local-bottom/ORDER are kept. `content` is what initrd_scan found in it. The same input
 * gives the same bytes. Refuses an initrd that has the script already, or that initramfs-tools did
 * not make. */
int initramfs_append(const void *initrd, size_t len, const struct initrd *content,
                     const struct initramfs_addition *addition, struct buffer *out,
                     struct error *err) NONNULL(1, 3, 4, 5, 6) MUST_CHECK;

#endif
