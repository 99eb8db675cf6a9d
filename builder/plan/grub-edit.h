/* The kernel's command line in GRUB's configuration: the menu that is there, and what it is made
 * of when grub-mkconfig makes it anew. Both end in the same words. */
#ifndef NB_BUILDER_GRUB_EDIT_H
#define NB_BUILDER_GRUB_EDIT_H

#include "builder/plan/kernel-line.h"
#include "common/buffer.h"

/* The entries of a grub.cfg that start a kernel with a root file system. */
struct grub_kernels {
    size_t count;
    size_t serial; /* of them, how many have the serial console */
};

/* Counts them. */
struct grub_kernels grub_kernels(const char *text, size_t len) NONNULL(1);

/* Appends grub.cfg with the words in each of these entries, behind those that grub-mkconfig itself
 * writes (root=…, ro, single, …) and before the base's. */
void grub_edit(const char *text, size_t len, const struct kernel_line *asked, struct buffer *out)
    NONNULL(1, 3, 4);

/* Appends a file for /etc/default/grub.d that does the same when grub-mkconfig runs. */
void grub_defaults(const struct kernel_line *asked, struct buffer *out) NONNULL(1, 2);

#endif
