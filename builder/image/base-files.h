/* The files of a base that plans look at or edit. */
#ifndef NB_BUILDER_BASE_FILES_H
#define NB_BUILDER_BASE_FILES_H

#include "builder/image/base.h"

/* Reads the files of the table and the configurations of the kernels (base->initrds), those that
 * are there, into base->files, and notes in base->paths which of the paths that are only asked for
 * exist, and the names in some folders. */
int base_read_files(const struct disk_writer *writer, struct disk *disk, struct base *base,
                    struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

#endif
