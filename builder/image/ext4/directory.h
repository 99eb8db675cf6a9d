/* Directories: their names, and what is made and linked in them. */
#ifndef NB_BUILDER_EXT4_DIRECTORY_H
#define NB_BUILDER_EXT4_DIRECTORY_H

#include "builder/image/ext4/inode.h"

/* Finds a name in a directory: 1 and *out set, 0 when it is not there, or -1. */
int directory_find(const struct node *directory, const char *name, ext2_ino_t *out,
                   struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Appends the names but "." and "..", sorted, each with a NUL behind it. */
int directory_list(const struct node *directory, struct buffer *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Gives a node a name in a directory that does not have that name. Sets the directory's times, as
 * directory_replace does. */
int directory_add(ext2_filsys fs, ext2_ino_t directory, const char *name, const struct node *node,
                  time_t mtime, struct error *err) NONNULL(1, 3, 4, 6) MUST_CHECK;

/* Makes a name that is in the directory the name of this node. */
int directory_replace(ext2_filsys fs, ext2_ino_t directory, const char *name,
                      const struct node *node, time_t mtime, struct error *err)
    NONNULL(1, 3, 4, 6) MUST_CHECK;

/* Takes a name that is in the directory away, of a directory or not; what had it is the caller's
 * business. */
int directory_remove(ext2_filsys fs, ext2_ino_t directory, const char *name, bool is_directory,
                     time_t mtime, struct error *err) NONNULL(1, 3, 6) MUST_CHECK;

/* Makes an empty directory, in a directory that does not have the name. */
int directory_make(ext2_filsys fs, ext2_ino_t parent, const char *name, mode_t mode, time_t mtime,
                   ext2_ino_t *out, struct error *err) NONNULL(1, 3, 6, 7) MUST_CHECK;

#endif
