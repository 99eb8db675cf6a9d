/* File names as QEMU's tools take them. */
#ifndef NB_BUILDER_QEMU_PATH_H
#define NB_BUILDER_QEMU_PATH_H

#include "common/attributes.h"

/* The path as an argument: QEMU reads options and protocols out of names such as "json:{…}" and
 * "nbd:host". The caller frees it. */
char *qemu_path(const char *path) NONNULL(1);

/* The path as the value of an option in a list with commas. The caller frees it. */
char *qemu_option(const char *path) NONNULL(1);

#endif
