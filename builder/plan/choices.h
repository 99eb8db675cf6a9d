/* Which overlays an image gets: the role's, those that the base or the settings call for, and the
 * user's own folders and files, in this order. */
#ifndef NB_BUILDER_CHOICES_H
#define NB_BUILDER_CHOICES_H

#include "builder/plan/overlay.h"
#include "builder/plan/plan.h"
#include "common/buffer.h"

/* Adds the files of all of them. Those that depend on the base are left out while it is unknown. */
int choices_add(const struct plan_input *in, struct overlay_list *list, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Appends what stands for all that a draft leaves open: an image whose base, draft and this text
 * are the same is the same. */
int choices_left_open(const struct plan_input *in, struct buffer *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* The questions below need in->base. */

/* Is the base's cloud-init to be switched off, and its work done otherwise? */
bool choices_replace_cloud_init(const struct plan_input *in) NONNULL(1);

/* Do host keys have to be made on the machine? */
bool choices_make_host_keys(const struct plan_input *in) NONNULL(1);

/* Does the image grow its root by itself? */
bool choices_grow(const struct plan_input *in) NONNULL(1);

#endif
