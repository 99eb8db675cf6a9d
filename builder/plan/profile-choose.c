/* What of a profile counts for a cluster. */
#include <stdlib.h>
#include <string.h>

#include "builder/plan/profile.h"

/* Keeps the items of a list whose `when` holds; `drop` frees what an item holds. */
#define KEEP(items, count, drop)                                                                   \
    do {                                                                                           \
        size_t kept_ = 0;                                                                          \
        for (size_t i_ = 0; i_ < (count); i_++) {                                                  \
            if (when_holds((items)[i_].when, cluster))                                             \
                (items)[kept_++] = (items)[i_];                                                    \
            else                                                                                   \
                drop(&(items)[i_]);                                                                \
        }                                                                                          \
        (count) = kept_;                                                                           \
    } while (0)

static void drop_directory(struct directory *directory)
{
    free(directory->path);
}

static void drop_binary(struct binary *binary)
{
    free(binary->name);
    free(binary->path);
}

static void drop_file(struct pki_file *file)
{
    free(file->file);
    free(file->path);
}

static void drop_unit(struct unit *unit)
{
    free(unit->name);
    free(unit->wanted_by);
}

static void keep_texts(struct texts *texts, when_set *when, const struct cluster *cluster)
{
    size_t kept = 0;
    for (size_t i = 0; i < texts->count; i++) {
        if (!when_holds(when[i], cluster)) {
            free(texts->items[i]);
            continue;
        }
        texts->items[kept] = texts->items[i];
        when[kept++] = 0;
    }
    texts->count = kept;
}

static void choose_role(struct role *role, const struct cluster *cluster)
{
    keep_texts(&role->overlays, role->overlays_when, cluster);
    keep_texts(&role->packages, role->packages_when, cluster);
    KEEP(role->directories, role->directory_count, drop_directory);
    KEEP(role->binaries, role->binary_count, drop_binary);
    KEEP(role->pki, role->pki_count, drop_file);
    KEEP(role->identity, role->identity_count, drop_file);
    KEEP(role->units, role->unit_count, drop_unit);
}

static void drop_value(struct value *value)
{
    free(value->name);
    free(value->text);
}

void profile_choose(struct profile *profile, const struct cluster *cluster)
{
    KEEP(profile->values, profile->value_count, drop_value);
    for (size_t i = 0; i < profile->role_count; i++)
        choose_role(&profile->roles[i], cluster);
}
