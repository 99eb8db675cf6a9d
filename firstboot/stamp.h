/* The record that firstboot finished, and for which instance. */
#ifndef NB_FIRSTBOOT_STAMP_H
#define NB_FIRSTBOOT_STAMP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/attributes.h"
#include "common/error.h"
#include "firstboot/dirs.h"

enum { STAMP_IDENTITY_MAX = 2 * VALUE_MAX };

struct stamp {
    char source[VALUE_MAX];
    char identity[STAMP_IDENTITY_MAX]; /* FIELD:VALUE */
    char node[VALUE_MAX];
};

/* Reads a stamp; the text is changed. False if it is not one of version 1, whole and well formed:
 * then firstboot has not finished. */
bool stamp_parse(char *text, size_t len, struct stamp *out) NONNULL(1, 3);

/* Reads that of the root: 1, 0 when it has none (or none that is valid), -1 when reading failed. */
int stamp_read(int root, struct stamp *out, struct error *err) NONNULL(2, 3) MUST_CHECK;

/* Do both name the same instance, by the same source? */
bool stamp_same(const struct stamp *a, const struct stamp *b) NONNULL(1, 2);

/* Publishes the stamp. */
int stamp_publish(struct dirs *dirs, const struct stamp *s, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Takes the stamp away, if there is one, and fsyncs its directory. */
int stamp_remove(struct dirs *dirs, struct error *err) NONNULL(1, 2) MUST_CHECK;

#endif
