/* What earlier builds left in a folder: each file, and what it was made of:
 *
 *     OUT/.nodebake.json
 *
 * A record that is damaged, or of another version, is as good as none: all is built again. */
#ifndef NB_BUILDER_RECORD_H
#define NB_BUILDER_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/error.h"

#define RECORD_NAME ".nodebake.json"

struct image;
struct record;

/* Reads the folder's record; never fails: without one it is empty. record_free frees it. */
struct record *record_load(int dirfd) __attribute__((returns_nonnull));

/* The keys under which a file is noted. */
enum record_key { RECORD_QUICK, RECORD_FRAME, RECORD_CONTENT };

/* Are the image's files there and as the record says, each with this key? */
bool record_holds(const struct record *record, int dirfd, const struct image *image,
                  enum record_key key, const char *value) NONNULL(1, 3, 5);

/* Was this the content key of what the image's overlays were made to lie on? */
bool record_lies_on(const struct record *record, const struct image *image, const char *content)
    NONNULL(1, 2, 3);

/* The content key under which the image's first file is noted, or "". */
const char *record_content(const struct record *record, const struct image *image) NONNULL(1, 2);

/* A file that lies on the role's image, of an image other than these, and is as the record says;
 * or NULL. `names` ends with NULL. */
const char *record_dependent(const struct record *record, int dirfd, const char *role,
                             const char *const *names) NONNULL(1, 3, 4);

/* Notes the image's files with its keys, and of overlays what they lie on (`below`, the content
 * key of the role's image), and publishes the record. */
int record_note(struct record *record, int dirfd, const struct image *image, const char *below,
                struct error *err) NONNULL(1, 3, 4, 5) MUST_CHECK;

/* Frees it; NULL is allowed. */
void record_free(struct record *record);

#endif
