/* A group of alternatives as update-alternatives records it in /var/lib/dpkg/alternatives. */
#ifndef NB_BUILDER_ALTERNATIVES_GROUP_H
#define NB_BUILDER_ALTERNATIVES_GROUP_H

#include <stdbool.h>

#include "builder/image/dpkg.h"
#include "common/attributes.h"

enum { GROUP_LINKS_MAX = 64 };

struct group_link {
    char *name; /* of the link in /etc/alternatives */
    char *link; /* the path that leads to it */
    char *path; /* where it leads, by the choice with the highest priority; "" or NULL: nowhere */
};

struct group {
    bool automatic;                           /* the highest priority is taken */
    struct group_link links[GROUP_LINKS_MAX]; /* the first is the master */
    size_t link_count;
    char **paths; /* all that its choices name; "" stands for none */
    size_t path_count, path_cap;
};

/* Reads a record of the group `name`. False when it is damaged, or holds what is no clean path. */
bool group_read(struct dpkg_text text, const char *name, struct group *out) NONNULL(2, 3);

/* Frees what it holds. */
void group_free(struct group *group);
#define AUTO_GROUP __attribute__((cleanup(group_free)))

#endif
