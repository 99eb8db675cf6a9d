/* The files of a contract: first all of them beside their destinations, then renamed into place. */
#ifndef NB_FIRSTBOOT_RENDER_H
#define NB_FIRSTBOOT_RENDER_H

#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"
#include "firstboot/dirs.h"
#include "firstboot/facts.h"

enum { RENDER_BYTES_MAX = 262144 }; /* a template, its rendered text, an identity file */

/* Has the bundle, if the contract wants one, every file of the identity? */
int render_check_bundle(struct facts *facts, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Phase one: writes every file as .NAME.nodebake beside its destination and fsyncs it. After a
 * failure no staged file is left. */
int render_stage(struct facts *facts, struct dirs *dirs, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Phase two: renames them in the contract's order. The last one follows only when the directories
 * of all before it are on the disk; then its own is fsynced too. After a failure no staged file
 * is left. */
int render_publish(struct facts *facts, struct dirs *dirs, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Appends lines `file DEST` of what is installed of the node's identity. */
int render_list(struct facts *facts, struct buffer *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Takes all staged files away. */
void render_discard(struct facts *facts, struct dirs *dirs) NONNULL(1, 2);

/* Phase one without writing: reads and renders all, and calls `show` for each file. */
int render_preview(struct facts *facts, int root,
                   void (*show)(const struct contract_file *file, const char *dest, size_t bytes),
                   struct error *err) NONNULL(1, 3, 4) MUST_CHECK;

#endif
