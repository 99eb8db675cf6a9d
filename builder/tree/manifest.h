/* manifest.json, read back from an image: every file that nodebake put there. */
#ifndef NB_BUILDER_MANIFEST_H
#define NB_BUILDER_MANIFEST_H

#include <jansson.h>

#include "builder/digest.h"
#include "builder/tree/tree.h"

enum { MANIFEST_MAX = 16 << 20, MANIFEST_BUILD_MAX = 17 }; /* bytes; of a build id with its NUL */

/* An entry as it has to be on the image. */
struct manifest_item {
    struct entry entry;          /* without content */
    uint64_t size;               /* of a file, bytes */
    char sha256[DIGEST_HEX_MAX]; /* of a file */
};

struct manifest {
    char build[MANIFEST_BUILD_MAX];
    bool genuine; /* it is, byte for byte, what nodebake writes of these entries */
    struct manifest_item *items;
    size_t count, cap;
};

/* Reads a manifest; one that is no JSON, or whose entries cannot be, is an error. */
int manifest_parse(const char *text, size_t len, struct manifest *out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* The item of that path, or NULL. */
const struct manifest_item *manifest_find(const struct manifest *manifest, const char *path)
    NONNULL(1, 2);

/* Frees what it holds. */
void manifest_free(struct manifest *manifest);
#define AUTO_MANIFEST __attribute__((cleanup(manifest_free)))

/* The text of a manifest with these entries, which stay the caller's; the caller frees it. */
int manifest_text(json_t *entries, char **text, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

#endif
