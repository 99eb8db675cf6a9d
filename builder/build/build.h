/* One build: which images are made, of what, and how each lies on another.
 *
 *     base ─► role image ─► node image      a node's image is the role's and what only it has
 *
 * A node's image is a copy of the role's, or, in a format that can, a file beside it that holds
 * the difference only. */
#ifndef NB_BUILDER_BUILD_H
#define NB_BUILDER_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/build/record.h"
#include "builder/cmd/inputs.h"
#include "builder/digest.h"
#include "builder/image/base.h"
#include "builder/image/disk.h"
#include "builder/image/export.h"
#include "builder/package/prepare.h"
#include "common/attributes.h"
#include "common/error.h"

/* A file to be made. */
struct product {
    struct output output;
    bool overlay; /* holds what differs from the role's file of the same format */
};

/* A file that images are made of: the cluster's, or a copy with packages that it lacks. */
struct build_base {
    struct disk_file file;
    struct prepared prepared;    /* whose path that is, when packages had to come to it */
    char digest[DIGEST_HEX_MAX]; /* "": not worked out */
    struct base *facts;          /* NULL: not looked at yet */
};

/* One image to be made, in all its formats. */
struct image {
    const struct target *target;
    const struct group *group;
    const char *name; /* of the node, or the role; borrowed */
    bool asked;       /* else it is made only for others to lie on */
    bool fresh;       /* an earlier build made it of the same inputs */
    struct product *products;
    size_t product_count;
    struct plan *draft;           /* made without a look at the base */
    char quick[DIGEST_HEX_MAX];   /* stands for the inputs, by their fingerprints */
    char frame[DIGEST_HEX_MAX];   /* stands for base, program and options; "": not worked out */
    char content[DIGEST_HEX_MAX]; /* stands for the inputs, by their content */
};

/* The images of one role. */
struct group {
    struct target role_target;
    struct image role;
    struct image *nodes;
    size_t node_count;
    struct texts packages;   /* that the base must have */
    struct build_base *base; /* of the build */
    struct plan *plan;       /* of the role, with its manifest; NULL until it is needed */
    char *raw;               /* the role's raw image, for nodes to be copied from, or NULL */
    bool raw_is_ours;        /* it is a temporary file */
};

enum { BUILD_FORMATS_MAX = 8 };

/* What the command line asks for. */
struct build_options {
    const char *out; /* folder */
    const struct format *formats[BUILD_FORMATS_MAX];
    size_t format_count;
    const char *compression;          /* of qcow2 */
    const struct disk_writer *writer; /* NULL: the first that suits the base */
    bool full;                        /* nodes' images stand alone in every format */
    bool refresh_packages;            /* the base's repositories are asked again */
    bool rehash;                      /* inputs are told by content, not by fingerprint */
};

struct build {
    const struct args *args;
    struct build_options options;
    struct inputs inputs;
    struct group *groups;
    size_t group_count;
    int out_fd;
    struct build_base *bases; /* at most one a group */
    size_t base_count;
    char program_digest[DIGEST_HEX_MAX];
    const struct disk_writer *writer; /* NULL: not chosen yet */
    struct record *record;
};

/* ---- base.c ---- */

/* Probes the cluster's image and gives it to all groups; where it lacks packages of a role that the
 * cluster's folder `debs` or the base's repositories have, that one gets a prepared base. A dry run
 * only says what would be done. */
int build_find_base(struct build *build, bool dry, struct error *err) NONNULL(1, 3) MUST_CHECK;

/* Sets the base's facts, unless they are known: reads it. */
int build_look_at_base(const struct build *build, struct build_base *base, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Refuses a base that lacks packages of the role or of the cluster. */
int build_require_packages(const struct group *group, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* ---- layout.c ---- */

/* Sets the groups, their images and products, from inputs.targets and options. */
void build_lay_out(struct build *build) NONNULL(1);

/* ---- key.c ---- */

/* Makes all drafts and checks that nothing the profile requires is absent. */
int build_draft(struct build *build, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Marks what an earlier build left fresh. All files that go into images must be there. */
int build_find_fresh(struct build *build, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* ---- unseal.c ---- */

/* Gives the secrets of an encrypted pki folder their text in the place of the host's file. Without
 * a passphrase all stays. */
int build_unseal(const struct build *build, struct tree *tree, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* The file on the host by which it is told whether the entry's content changed: of a secret, the
 * encrypted one. The caller frees it. */
char *build_told_by(const struct build *build, const struct entry *entry) NONNULL(1, 2);

/* ---- update.c ---- */

/* Makes the image out of its last one, when only the content of files changed and the outcome is
 * the same as from scratch; it is fresh then. */
int build_update(struct build *build, struct image *image, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* ---- role.c, nodes.c ---- */

/* Makes the role's image, and publishes what is asked of it; with nodes that need it, leaves the
 * group's raw file behind. */
int build_role(struct build *build, struct group *group, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Makes the images of the group's nodes that are not fresh. */
int build_nodes(struct build *build, struct group *group, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Chooses the writer by an image of the build, unless it is chosen. */
int build_choose_writer(struct build *build, const struct disk_file *file, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* ---- build.c ---- */

/* The product that is the raw image itself, or NULL. */
const struct product *build_raw_product(const struct image *image) NONNULL(1);

/* The plan of an image on this base, with its manifest. The caller frees it. */
int build_plan(const struct build *build, const struct image *image, const struct base *base,
               struct plan **out, struct error *err) NONNULL(1, 2, 4, 5) MUST_CHECK;

/* Sets the group's plan to that of its role. */
int build_plan_role(const struct build *build, struct group *group, const struct base *base,
                    struct error *err) NONNULL(1, 2, 4) MUST_CHECK;

/* Is one of the products an overlay? */
bool build_lies_on_role(const struct image *image) NONNULL(1);

/* Publishes the raw file as all products of the image but overlays. */
int build_export(const struct build *build, const struct image *image, const char *raw, bool keep,
                 struct error *err) NONNULL(1, 2, 3, 5) MUST_CHECK;

/* Notes a finished image in the record, and what its overlays lie on, and says so. `below` is the
 * role's image. */
int build_note(struct build *build, const struct image *image, const struct image *below,
               struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Frees all, and removes temporary files. */
void build_free(struct build *build) NONNULL(1);

#endif
