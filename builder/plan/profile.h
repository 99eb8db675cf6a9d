/* A profile: how a node of each role is laid out. Format: docs/profile.yaml.md. */
#ifndef NB_BUILDER_PROFILE_H
#define NB_BUILDER_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "builder/cluster/node-fact.h"
#include "builder/plan/when.h"
#include "builder/texts.h"
#include "builder/yaml/problems.h"
#include "common/address.h"
#include "common/attributes.h"
#include "common/error.h"

enum { PROFILE_LIST_MAX = 128 };

struct directory {
    char *path;
    mode_t mode;
    when_set when;
};

/* Where a file of the release goes. */
struct binary {
    char *name, *path;
    bool optional; /* a release may lack it */
    when_set when;
};

/* Where a file of the pki folder goes; names may hold node facts in `identity`. */
struct pki_file {
    char *file, *path;
    mode_t mode;
    when_set when;
};

struct unit {
    char *name, *wanted_by;
    when_set when;
};

/* A text that overlays may name; it may hold facts. */
struct value {
    char *name, *text;
    when_set when;
};

struct role {
    char *name;
    uint64_t memory, disk; /* bytes that a machine of this role should have */
    struct texts overlays, packages;
    when_set *overlays_when, *packages_when; /* of each; as many */
    size_t overlays_when_cap, packages_when_cap;
    struct directory *directories;
    size_t directory_count, directory_cap;
    struct binary *binaries;
    size_t binary_count, binary_cap;
    struct pki_file *pki, *identity;
    size_t pki_count, pki_cap, identity_count, identity_cap;
    struct unit *units;
    size_t unit_count, unit_cap;
};

struct profile {
    char *file;
    char *name;
    unsigned minor_from, minor_to; /* Kubernetes 1.N it lays out, both included */
    unsigned *tested;              /* those that nodebake's own tests have booted */
    size_t tested_count, tested_cap;
    unsigned identities;  /* a bit for each enum identity_mode that it lays out */
    bool names_at_launch; /* NODE_NAME is none of cluster.yaml */
    char *domain;         /* of the cluster's DNS where cluster.yaml names none */
    struct node_fact *facts;
    size_t fact_count, fact_cap;
    struct value *values; /* texts of overlays and of their paths */
    size_t value_count, value_cap;
    struct role *roles;
    size_t role_count, role_cap;
};

/* Reads and checks a profile; what is wrong in the file goes to `problems`. */
int profile_load(const char *file, struct profile **out, struct problems *problems,
                 struct error *err) NONNULL(1, 2, 3, 4) MUST_CHECK;

/* Takes away what counts for other clusters only. */
void profile_choose(struct profile *profile, const struct cluster *cluster) NONNULL(1, 2);

/* Has a test of nodebake's booted nodes of Kubernetes 1.N? */
bool profile_tested(const struct profile *profile, unsigned minor) NONNULL(1);

/* The role of that name, or NULL. */
const struct role *profile_role(const struct profile *profile, const char *name) NONNULL(1, 2);

/* Does the role get the release's file of that name? */
bool role_has_binary(const struct role *role, const char *name) NONNULL(1, 2);

/* The node fact of that name, or NULL. */
const struct node_fact *profile_fact(const struct profile *profile, const char *name) NONNULL(1, 2);

/* The text of the value of that name, or NULL. */
const char *profile_value(const struct profile *profile, const char *name) NONNULL(1, 2);

/* Frees the profile; NULL is allowed. */
void profile_free(struct profile *profile);
void profile_free_at(struct profile **profile);
#define AUTO_PROFILE __attribute__((cleanup(profile_free_at)))

#endif
