/* The way out: a raw image published in one or more formats, the disk read once. */
#ifndef NB_BUILDER_EXPORT_H
#define NB_BUILDER_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "builder/image/format.h"
#include "common/attributes.h"
#include "common/error.h"

/* A file to publish. */
struct output {
    const struct format *format;
    char *path;
};

/* What all files of an export share. */
struct export_options {
    const char *label;       /* stands in the progress: the image's name */
    const char *compression; /* of qcow2: "zstd" or "zlib" */
    time_t mtime;
    bool keep; /* the raw file stays; else it is gone afterwards, or is the raw image itself */
};

/* The file beside `path` in which it is made; the caller frees the name. */
char *image_temporary(const char *path) NONNULL(1);

/* Publishes the raw file as all outputs, 0600, fsynced, by rename: images hold keys. None takes
 * its final name before all are complete. After a failure no temporary file of them is left, and
 * nothing stands under a final name that did not stand there before, unless a rename failed. */
int image_export(const char *raw, const struct output *outputs, size_t n,
                 const struct export_options *options, struct error *err)
    NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Publishes a complete temporary file under its final name: 0600, fsynced, renamed. */
int image_publish(const char *temporary, const char *path, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
