/* What goes into one image: cluster + profile + release + role → tree. Reads overlays, nothing
 * else. */
#ifndef NB_BUILDER_PLAN_H
#define NB_BUILDER_PLAN_H

#include "builder/artifact/release.h"
#include "builder/cluster/cluster.h"
#include "builder/plan/profile.h"
#include "builder/tree/tree.h"
#include "common/attributes.h"
#include "common/error.h"

/* Where things lie on the image. */
#define PATH_HOME       "/usr/lib/nodebake"
#define PATH_CONTRACT   PATH_HOME "/contract"
#define PATH_ABOUT      PATH_HOME "/image.json"
#define PATH_TEMPLATES  PATH_HOME "/templates"
#define PATH_IDENTITY   PATH_HOME "/identity"
#define PATH_IMAGES     PATH_HOME "/images"
#define PATH_STATE      "/var/lib/nodebake"
#define PATH_PRESET_OFF "/usr/lib/systemd/system-preset/00-nodebake.preset"
#define PATH_PRESET_ON  "/etc/systemd/system-preset/00-nodebake.preset"
/* Of units that cluster.yaml disables; PATH_PRESET_ON does not hide it. */
#define PATH_PRESET_UNITS "/usr/lib/systemd/system-preset/00-nodebake-cluster.preset"
/* Of units that do not wait for firstboot; PATH_PRESET_ON does not hide it. */
#define PATH_PRESET_ALWAYS "/usr/lib/systemd/system-preset/00-nodebake-always.preset"

struct base;
struct base_file;

/* All that a plan is made of; borrowed, and must outlive the plan. */
struct plan_input {
    const struct cluster *cluster;
    const struct profile *profile;
    const struct release *release; /* located */
    const struct role *role;
    const struct node *node; /* NULL: an image for the role, without an identity */
    const struct base *base; /* NULL: not looked at yet; facts of the base are placeholders */
    const char *base_why;    /* why it is NULL, for people; or NULL */
    const char *data;        /* folder that holds overlays/ */
    const char *hook;        /* folder of the initramfs hooks */
    const char *pki;         /* folder of certificates, which need not be there yet */
    const char *firstboot;   /* the program, on the host */
};

/* A file of the profile that the release does not give. */
struct absent {
    const char *name, *path; /* borrowed from the profile */
    bool optional;
    char *why;
};

/* A unit that firstboot enables. */
struct enabled_unit {
    char *name, *wanted_by;
    char *path; /* of its file in the image */
};

/* A unit that does not wait for firstboot. */
struct plan_unit {
    char *name, *target;
};

/* A file that firstboot renders. */
struct plan_template {
    char *path;
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

struct plan {
    struct plan_input in;
    const char *name;                /* of the image: the node's, or the role's; borrowed */
    struct tree *tree;               /* sorted; without the manifest */
    bool *facts_used;                /* by index of the node's facts; see node-facts.h */
    struct plan_template *templates; /* of parts; those of overlays come to them */
    size_t template_count, template_cap;
    uint64_t bytes; /* of file content, as far as it is known before the build */
    struct absent *absent;
    size_t absent_count, absent_cap;
    struct enabled_unit *enabled; /* the role's, then the user's */
    size_t enabled_count, enabled_cap;
    struct plan_unit *always; /* units that parts switched on */
    size_t always_count, always_cap;
    struct texts remarks; /* what its user should know of the base */
};

/* Does the profile lay out the cluster's Kubernetes version, and is the release for it? */
int plan_check_versions(const struct cluster *cluster, const struct profile *profile,
                        const struct release *release, struct error *err)
    NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Does the profile lay out the cluster's identity mode? */
int plan_check_identity(const struct cluster *cluster, const struct profile *profile,
                        struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* Are there facts or values with a name that somebody else supplies, or a value of `nodeLabels`
 * that could be none? Then it fails. */
int plan_check_input(const struct plan_input *in, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Lays out one image. A file that the release lacks is noted in `absent`, not an error. */
int plan_make(const struct plan_input *in, struct plan **out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Will firstboot need the i-th fact of the node? */
bool plan_wants_fact(const struct plan *plan, size_t i) NONNULL(1);

/* Fails, naming all of them, when a file that the profile requires is absent. */
int plan_require(const struct plan *plan, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Frees the plan; NULL is allowed. */
void plan_free(struct plan *plan);
void plan_free_at(struct plan **plan);
#define AUTO_PLAN __attribute__((cleanup(plan_free_at)))

#endif
