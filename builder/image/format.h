/* Formats of disk images, and the way in and out of the raw one that is edited. */
#ifndef NB_BUILDER_FORMAT_H
#define NB_BUILDER_FORMAT_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/error.h"

/* One way to publish an image. */
struct format {
    const char *name;
    const char *suffix; /* of the file, with its dot */
    /* Writes the image to the new, empty file `path`; NULL: the raw file itself is published. */
    int (*convert)(const char *raw, const char *path, struct error *err);
};

/* The format of that name, or NULL. */
const struct format *format_find(const char *name) NONNULL(1);

/* The names of all formats, separated by ", ". */
const char *format_names(void);

/* Is the base an image that image_import takes? Reads it only. */
int image_check(const char *base, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Copies the base (raw or qcow2, whole in one file) to the new sparse raw file `raw`, 0600,
 * replacing a file that an interrupted build left there. The base is only read. After a failure
 * `raw` is gone. */
int image_import(const char *base, const char *raw, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* The file beside `path` in which image_export makes it; the caller frees the name. */
char *image_temporary(const char *path) NONNULL(1);

/* Publishes the raw file as `path`, 0600, fsynced, by rename: images hold keys. With `last` the
 * raw file is gone afterwards; a raw image may then be the raw file itself. After a failure
 * nothing stands under `path` that did not stand there before. */
int image_export(const struct format *format, const char *raw, const char *path, bool last,
                 struct error *err) NONNULL(1, 2, 3, 5) MUST_CHECK;

#endif
