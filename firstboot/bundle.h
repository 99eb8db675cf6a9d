/* A node's identity as its metadata carries it: files by name. docs/contract.md has its form. */
#ifndef NB_FIRSTBOOT_BUNDLE_H
#define NB_FIRSTBOOT_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/attributes.h"
#include "common/contract.h"
#include "common/error.h"

/* Empty while len is 0. It holds keys: whoever has one wipes it. */
struct bundle {
    size_t len;
    char bytes[CONTRACT_BUNDLE_MAX];
};

/* One file; the bytes are the bundle's. */
struct bundle_file {
    char name[256];
    const char *bytes;
    size_t len;
};

/* No error of these shows what a bundle holds, but the node's name. */

/* Appends the bytes that the base64 stands for. */
int bundle_add(struct bundle *b, const char *base64, size_t len, struct error *err)
    NONNULL(1, 2, 4) MUST_CHECK;

/* Is it a bundle, whole, with nothing behind it, and no file in it twice? */
int bundle_check(const struct bundle *b, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Is a bundle that was checked that of the node? */
int bundle_is_of(const struct bundle *b, const char *node, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* The file of that name of a bundle that was checked; false: it has none. */
bool bundle_find(const struct bundle *b, const char *name, struct bundle_file *out)
    NONNULL(1, 2, 3);

/* Forgets it, in memory too. */
void bundle_wipe(struct bundle *b) NONNULL(1);

#endif
