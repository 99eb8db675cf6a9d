/* A Debian package file (.deb): an ar archive with two tar archives in it, one for dpkg
 * (control), one for the system (data). */
#ifndef NB_BUILDER_DEB_H
#define NB_BUILDER_DEB_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "builder/digest.h"
#include "builder/image/dpkg.h"
#include "builder/tree/tree.h"
#include "common/attributes.h"
#include "common/error.h"

/* Bounds of a package. */
#define DEB_DATA_MAX (UINT64_C(4) << 30) /* bytes of all its files */
enum {
    DEB_CONTROLS_MAX = 64,            /* files in the control archive */
    DEB_CONTROL_BYTES_MAX = 16 << 20, /* of all of them */
    DEB_ITEMS_MAX = 1 << 16           /* entries in the data archive */
};

/* One file for dpkg. */
struct deb_control {
    char *name; /* "postinst" */
    char *text; /* len bytes and a NUL */
    size_t len;
    mode_t mode;
    time_t mtime;
};

/* One entry that it unpacks. The owner is a number and, when there is one, a name, which the
 * system's own number for it goes before. */
struct deb_item {
    struct entry entry;
    time_t mtime;
    char *user, *group;       /* or NULL */
    char md5[DIGEST_HEX_MAX]; /* of a file's content */
};

struct deb {
    char *path; /* of the .deb on the host */
    char sha256[DIGEST_HEX_MAX];
    /* From its control file; all on the heap. */
    char *name, *version, *architecture, *multi_arch; /* the last may be "" */
    struct deb_control *controls;                     /* in the archive's order */
    size_t control_count, control_cap;
    struct deb_item *items; /* in the archive's order, without "/"; deb_unpack makes them */
    size_t item_count, item_cap;
};

/* Reads what is for dpkg and checks name, version and architecture. `sha256` is the file's
 * digest, NULL: it is found here. */
int deb_open(const char *path, const char *sha256, struct deb **out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* The control file of that name, or NULL. */
const struct deb_control *deb_control(const struct deb *deb, const char *name) NONNULL(1, 2);

/* The value of a field of the file `control`; empty when there is none. */
struct dpkg_text deb_field(const struct deb *deb, const char *field) NONNULL(1, 2);

/* Unpacks the files' contents into `folder`, under names that begin with `prefix`, and lists the
 * entries. Device nodes, unclean paths and paths that stand in it twice are errors. */
int deb_unpack(struct deb *deb, const char *folder, const char *prefix, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Frees it; NULL is allowed. The unpacked files stay. */
void deb_free(struct deb *deb);
void deb_free_at(struct deb **deb);
#define AUTO_DEB __attribute__((cleanup(deb_free_at)))

#endif
