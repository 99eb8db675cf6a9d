/* The record that firstboot finished, and for which instance; and, as long as it has not, for which
 * instance it began. */
#ifndef NB_FIRSTBOOT_STAMP_H
#define NB_FIRSTBOOT_STAMP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/attributes.h"
#include "common/contract.h"
#include "common/error.h"
#include "firstboot/dirs.h"

enum {
    STAMP_IDENTITY_MAX = 2 * VALUE_MAX,
    STAMP_FILES_MAX = CONTRACT_IDENTITIES_MAX * (DIR_PATH_MAX + sizeof "file \n"),
};

struct stamp {
    char source[VALUE_MAX];
    char identity[STAMP_IDENTITY_MAX]; /* FIELD:VALUE */
    char node[VALUE_MAX];              /* `-` in a record of one that never learnt it */
    char instance[VALUE_MAX]; /* the platform's own name of the machine; empty: not known */
    /* What was installed of the node's identity; pointers into the text that was read. */
    const char *files[CONTRACT_IDENTITIES_MAX];
    unsigned file_count;
    bool damaged; /* something was there that is no stamp: it counts as none */
    bool before;  /* not finished: begun, or put aside */
};

/* Reads a stamp; the text is changed, and has to outlive the struct. False if it is not one of
 * version 1, whole and well formed: then firstboot has not finished. */
bool stamp_parse(char *text, size_t len, struct stamp *out) NONNULL(1, 3);

/* Reads that of the root, or else the one that is not finished: 1, 0 when it has none (or none that
 * is valid, be it no file at all), -1 when reading failed. Valid until the next call. */
int stamp_read(int root, struct stamp *out, struct error *err) NONNULL(2, 3) MUST_CHECK;

/* Do both name the same instance, by the same source? */
bool stamp_same(const struct stamp *a, const struct stamp *b) NONNULL(1, 2);

/* Was `found` written for another machine than `wanted`? The platform's own names decide where both
 * are known, else the firmware's. What is made of a facts file is the node's, whose name decides:
 * while it is not known, the stamp is nobody else's. */
bool stamp_is_others(const struct stamp *found, const struct stamp *wanted) NONNULL(1, 2);

/* Writes what is to become the stamp, in place of one that was put aside, and fsyncs it and all
 * directories: from then on every run knows whose root this is. `files` are lines `file PATH`, each
 * with its newline, of what will be installed. */
int stamp_begin(struct dirs *dirs, const struct stamp *s, const char *files, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Makes it the stamp by one rename, once all directories are on the disk, and fsyncs its own. */
int stamp_finish(struct dirs *dirs, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Puts the stamp aside, if there is one, by one rename, and fsyncs its directory: nothing is
 * finished from then on, and a later run still knows whose root this was. `known`: that stands
 * aside already, and what passes for the stamp is damaged: it is removed. */
int stamp_put_aside(struct dirs *dirs, bool known, struct error *err) NONNULL(1, 3) MUST_CHECK;

#endif
