/* The bytes of a file system, beside those that libext2fs reads and writes itself: content of
 * files. Positions count from the beginning of the file system; what lies outside of its partition
 * is an error. */
#ifndef NB_BUILDER_EXT4_IO_H
#define NB_BUILDER_EXT4_IO_H

#include "builder/image/ext4/ext4.h"

/* Reads n bytes. */
int ext4_io_read(ext2_filsys fs, uint64_t at, void *bytes, size_t n, struct error *err)
    NONNULL(1, 3, 5) MUST_CHECK;

/* Writes n bytes. */
int ext4_io_write(ext2_filsys fs, uint64_t at, const void *bytes, size_t n, struct error *err)
    NONNULL(1, 3, 5) MUST_CHECK;

/* Writes n zero bytes. */
int ext4_io_zero(ext2_filsys fs, uint64_t at, uint64_t n, struct error *err)
    NONNULL(1, 4) MUST_CHECK;

/* Copies n bytes of the file `fd` from its offset `from`; a file that ends early is an error. */
int ext4_io_copy(ext2_filsys fs, uint64_t at, int fd, uint64_t from, uint64_t n, struct error *err)
    NONNULL(1, 6) MUST_CHECK;

#endif
