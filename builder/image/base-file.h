/* The way in: the base image as the user has it, and copies of raw images. */
#ifndef NB_BUILDER_BASE_FILE_H
#define NB_BUILDER_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "builder/image/blocks.h"
#include "common/attributes.h"
#include "common/error.h"

/* Is the file an image that image_import takes: raw, or qcow2 that is whole in one file, not
 * encrypted, not damaged? Says which; `path` stays the caller's. Reads it only. */
int image_probe(const char *path, struct disk_file *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* An image file, and the files that it lies on. */
struct image_layers {
    uint64_t size; /* of the disk, bytes */
    char **below;  /* paths, the next one first */
    size_t count, cap;
};

/* Like image_probe, for who only reads: a qcow2 image may lie on other images, whose names are
 * plain paths. A compressed file, as those for GCE are, is refused with a word on how to unpack it,
 * and one that QEMU has open for writing. The layers are to be freed, also on -1. */
int image_probe_layers(const char *path, struct disk_file *out, struct image_layers *layers,
                       struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Frees what the struct holds. */
void image_layers_free(struct image_layers *layers);
#define AUTO_LAYERS __attribute__((cleanup(image_layers_free)))

/* Copies the probed base to the new sparse raw file `raw`, 0600, replacing a file that an
 * interrupted build left there. The base is only read. After a failure `raw` is gone. */
int image_import(const struct disk_file *base, const char *raw, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* An import that runs beside the caller's other work. */
struct import;

/* Begins image_import of a raw base, whose two arguments stay valid until image_import_end. The
 * caller ends it, whatever happens. */
void image_import_begin(const struct disk_file *base, const char *raw, struct import **out)
    NONNULL(1, 2, 3);

/* Waits for the import, and frees it; what image_import would return. */
int image_import_end(struct import *import, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Copies a raw image to the new file `copy`, 0600: shared blocks where the file system can, else
 * without its holes. After a failure `copy` is gone. `label` stands in the progress. */
int image_clone(const char *raw, const char *copy, const char *label, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Makes `path`, 0600, a qcow2 image of `size` bytes that holds nothing yet and lies on the qcow2
 * image of the name `backing` in the same folder, which must be there. */
int image_overlay(const char *path, const char *backing, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

#endif
