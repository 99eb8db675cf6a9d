/* The on-image contract as a struct; docs/contract.md specifies it. */
#ifndef NB_FIRSTBOOT_CONTRACT_H
#define NB_FIRSTBOOT_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/address.h"
#include "common/attributes.h"
#include "common/contract.h"
#include "common/error.h"

enum { CONTRACT_FILES_MAX = CONTRACT_IDENTITIES_MAX + CONTRACT_TEMPLATES_MAX };

/* A source that may be asked, and the DMI field that is its instances' identity, or two with a
 * comma: the first that the machine has. */
struct contract_source {
    const char *name;
    const char *identity;
};

/* A wanted fact. */
struct contract_fact {
    const char *name;
    enum value_type type;
};

/* Where a source has a fact. */
struct contract_from {
    unsigned fact; /* index in facts */
    const char *source;
    const char *path;
    unsigned line;
};

/* A file to install. */
struct contract_file {
    /* File below identity/, or of the bundle when there is such a fact; may hold facts. NULL: a
     * template. */
    const char *identity;
    const char *dest; /* absolute; of an identity it may hold facts */
    mode_t mode;
    uid_t uid;
    gid_t gid;
    unsigned line;
};

/* A unit to enable. */
struct contract_unit {
    const char *name;
    const char *target;
    const char *path;
};

/* Every string points into the text that was parsed. */
struct contract {
    const char *cluster;
    const char *role;
    const char *node; /* NULL: the image is for any node of its role */
    const char *user; /* whose keys a fact of type sshkeys holds; NULL: there is no such fact */
    unsigned deadline_s;
    bool imds_v1; /* AWS's metadata may come without a token */
    struct contract_source sources[CONTRACT_SOURCES_MAX];
    unsigned source_count;
    struct contract_fact facts[CONTRACT_FACTS_MAX];
    unsigned fact_count;
    struct contract_from froms[CONTRACT_FROMS_MAX];
    unsigned from_count;
    struct contract_file files[CONTRACT_FILES_MAX]; /* in the order of the text */
    unsigned file_count;
    struct contract_unit units[CONTRACT_UNITS_MAX];
    unsigned unit_count;
    const char *forgets[CONTRACT_FORGETS_MAX]; /* absolute; a `*` ends some of them */
    unsigned forget_count;
    enum on_failure on_failure;
};

/* Reads a contract; the text is changed (fields get a NUL) and has to outlive the struct. Errors
 * read `contract:LINE: cause, and what would be right`, and leave the struct empty. */
int contract_parse(char *text, size_t len, struct contract *out, struct error *err)
    NONNULL(1, 3, 4) MUST_CHECK;

/* The index of the fact of that name, -1 when there is none. */
int contract_fact_index(const struct contract *c, const char *name) NONNULL(1, 2);

/* The first fact of that type, or NULL. */
const struct contract_fact *contract_fact_of(const struct contract *c, enum value_type type)
    NONNULL(1);

#endif
