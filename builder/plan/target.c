#include "builder/plan/target.h"

#include <string.h>

#include "builder/heap.h"

struct selection {
    struct target *targets;
    size_t count, cap;
};

static void select_one(struct selection *s, struct target target)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->targets[i].role == target.role && s->targets[i].node == target.node)
            return;
    *APPEND(s->targets, s->count, s->cap) = target;
}

static int no_role(const struct profile *profile, const char *what, const char *role,
                   struct error *err)
{
    struct buffer known AUTO_BUFFER = buffer_heap();
    for (size_t i = 0; i < profile->role_count; i++)
        buffer_printf(&known, "%s%s", i ? ", " : "", profile->roles[i].name);
    return error_set(err, "%s: profile %s lays out no role '%s'; it has: %s", what, profile->name,
                     role, known.data);
}

static bool has_node_of(const struct cluster *cluster, const char *role)
{
    for (size_t i = 0; i < cluster->node_count; i++)
        if (strcmp(cluster->nodes[i].role, role) == 0)
            return true;
    return false;
}

static int select_name(const struct cluster *cluster, const struct profile *profile,
                       const char *name, struct selection *s, struct error *err)
{
    const struct node *node = cluster_node(cluster, name);
    const struct role *role = profile_role(profile, node ? node->role : name);
    if (!role && (node || strcmp(name, "controller") == 0))
        return no_role(profile, name, node ? node->role : name, err);
    if (!role)
        return error_set(err, "'%s' is neither a role nor a node of %s", name, cluster->file);
    /* Each of them knows all: another could not be added later. */
    if (strcmp(role->name, "controller") == 0 && !has_node_of(cluster, role->name))
        return error_set(err,
                         "controller: %s has no node of that role, and their addresses go "
                         "into the image",
                         cluster->file);
    select_one(s, (struct target){role, node});
    return 0;
}

/* Does one image serve all nodes of the role, though each may stand in the cluster file? */
static bool is_shared(const struct cluster *cluster, const struct profile *profile,
                      const struct role *role)
{
    if (profile->names_at_launch)
        return true;
    if (cluster->identity == IDENTITY_METADATA)
        return role->identity_count > 0;
    return cluster->identity == IDENTITY_BOOTSTRAP && strcmp(role->name, "worker") == 0;
}

static int select_names(const struct cluster *cluster, const struct profile *profile,
                        char *const *names, size_t n, struct selection *s, struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (select_name(cluster, profile, names[i], s, err) < 0)
            return -1;
    for (size_t i = 0; n == 0 && i < cluster->node_count; i++) {
        const struct node *node = &cluster->nodes[i];
        const struct role *role = profile_role(profile, node->role);
        if (role)
            select_one(s, (struct target){role, is_shared(cluster, profile, role) ? NULL : node});
    }
    /* Workers that nobody named come from one image. */
    const struct role *worker = profile_role(profile, "worker");
    if (n == 0 && cluster->identity == IDENTITY_BOOTSTRAP && worker &&
        !has_node_of(cluster, "worker"))
        select_one(s, (struct target){worker, NULL});
    if (!s->count)
        return error_set(err, "%s: no node has a role that profile %s lays out", cluster->file,
                         profile->name);
    return 0;
}

int target_check(const struct profile *profile, const struct target *targets, size_t n,
                 struct error *err)
{
    for (size_t i = 0; i < n; i++)
        if (profile->names_at_launch && targets[i].node)
            return error_set(err,
                             "%s: with profile %s a machine gets its name when it is launched, so "
                             "no image can be that of one node; name the role, `%s`, whose image "
                             "serves all of them",
                             targets[i].node->name, profile->name, targets[i].role->name);
    return 0;
}

int target_select(const struct cluster *cluster, const struct profile *profile, char *const *names,
                  size_t n, struct target **out, size_t *count, struct error *err)
{
    struct selection s = {0};
    if (select_names(cluster, profile, names, n, &s, err) < 0) {
        heap_free_at(&s.targets);
        return -1;
    }
    *out = s.targets;
    *count = s.count;
    return 0;
}
