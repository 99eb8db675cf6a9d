/* What lies in an archive of container images: names and sizes of all members, and the bytes of
 * the small ones. */
#ifndef NB_BUILDER_IMAGE_MEMBERS_H
#define NB_BUILDER_IMAGE_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/attributes.h"
#include "common/error.h"

struct image_member {
    char *name;  /* without "./" before it */
    char *bytes; /* of a JSON file; NULL: it is none, or too large to be one of ours */
    size_t len;  /* of bytes */
};

struct image_members {
    struct image_member *items; /* sorted by name once read */
    size_t count, cap;
};

/* Reads the archive. Members blobs/sha256/… whose name is not their digest are errors, and more
 * members than an image of a thousand layers has. On -1 the struct is to be freed all the same. */
int image_members_read(const char *path, struct image_members *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* The member of that name, or NULL. */
const struct image_member *image_members_find(const struct image_members *members, const char *name)
    NONNULL(1, 2);

/* The JSON text that the member is; an error when there is none, or it is none. *out belongs to the
 * caller. */
int image_members_json(const struct image_members *members, const char *name, json_t **out,
                       struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Frees what the struct holds. */
void image_members_free(struct image_members *members) NONNULL(1);
#define AUTO_IMAGE_MEMBERS __attribute__((cleanup(image_members_free)))

#endif
