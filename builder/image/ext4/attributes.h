/* Extended attributes: user.x, security.capability, … */
#ifndef NB_BUILDER_EXT4_ATTRIBUTES_H
#define NB_BUILDER_EXT4_ATTRIBUTES_H

#include "builder/image/ext4/inode.h"

/* Can the entry's attributes have their names? */
int attributes_check(const struct entry *entry, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Sets the entry's attributes on a node that is written; others that it has stay. */
int attributes_set(struct node *node, const struct entry *entry, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Appends those of a node to the item's. */
int attributes_read(const struct node *node, struct disk_item *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Gives the block with attributes back, zeroed when the file is secret, and writes the node. Those
 * inside of the inode go with node_reset or node_destroy. */
int attributes_release(struct node *node, struct error *err) NONNULL(1, 2) MUST_CHECK;

#endif
