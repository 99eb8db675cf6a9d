/* Inodes, whole: with their extra fields and the extended attributes inside of them. */
#ifndef NB_BUILDER_EXT4_INODE_H
#define NB_BUILDER_EXT4_INODE_H

#include "builder/image/ext4/ext4.h"

/* An inode in memory. */
struct node {
    ext2_filsys fs;
    ext2_ino_t ino;
    size_t size;                  /* of an inode of this file system, in bytes */
    struct ext2_inode_large *raw; /* with so much room, or more */
};

/* Makes the file system ready to be changed: reads its bitmaps, once. ext4_check has
 * refused what is not kept up: clusters (bigalloc), quotas, attributes in inodes of their own, … */
int ext4_begin(ext2_filsys fs, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Reads an inode that a directory points at; what is not in use is an error. */
int node_read(ext2_filsys fs, ext2_ino_t ino, struct node *out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* Reads it again, from the disk. */
int node_reread(struct node *node, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Allocates an empty inode near another one: no content, one link, 0600 root. `type` is
 * LINUX_S_IFREG, … */
int node_create(ext2_filsys fs, ext2_ino_t near, unsigned type, struct node *out, struct error *err)
    NONNULL(1, 4, 5) MUST_CHECK;

/* Sets all fields but those of its content as node_create does; attributes inside of it go. */
void node_reset(struct node *node, unsigned type) NONNULL(1);

/* Writes it. */
int node_write(const struct node *node, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Gives the inode, which has neither content nor attributes any more, back. */
int node_destroy(struct node *node, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Sets permission bits and owner. */
void node_set_owner(struct node *node, mode_t mode, uid_t uid, gid_t gid) NONNULL(1);

/* Sets the time of the change to the file system's now. */
void node_set_changed(struct node *node) NONNULL(1);

/* Sets the time of modification, and that of the change. */
void node_set_mtime(struct node *node, time_t mtime) NONNULL(1);

/* Sets all four times: the change and the creation are the file system's now. */
void node_set_times(struct node *node, time_t mtime) NONNULL(1);

/* Could only the owner read the file? */
bool node_is_secret(const struct node *node) NONNULL(1);

/* What a directory entry says of it: EXT2_FT_REG_FILE, … */
int node_file_type(const struct node *node) NONNULL(1);

/* Frees the memory. */
void node_free(struct node *node);
#define AUTO_NODE __attribute__((cleanup(node_free)))

#endif
