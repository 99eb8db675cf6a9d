/* Archives of container images, as `docker save`, `ctr images export` and skopeo write them: a tar,
 * compressed or not, in Docker's form (manifest.json) or OCI's (index.json, the Image Layout of
 * image-spec v1). */
#ifndef NB_BUILDER_CONTAINER_IMAGE_H
#define NB_BUILDER_CONTAINER_IMAGE_H

#include "builder/texts.h"
#include "common/attributes.h"
#include "common/error.h"

enum { IMAGE_NAME_MAX = 255 /* bytes of "registry/path:tag" */ };

/* Reads the whole archive and appends the names of its images as the archive has them. Refuses one
 * that is damaged, that lacks a part of an image, whose images have no name, or are for another
 * machine than Linux on amd64. The blobs of OCI's form are compared with their digests. */
int container_image_read(const char *path, struct texts *names, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* The name with all that Docker's habits leave out: "docker.io/library/busybox:latest" of
 * "busybox". The caller frees it. */
char *container_image_full_name(const char *name) NONNULL(1);

#endif
