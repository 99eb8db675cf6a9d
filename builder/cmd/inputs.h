/* What plan and build start from: the cluster's profile and release, and the images asked for. */
#ifndef NB_BUILDER_INPUTS_H
#define NB_BUILDER_INPUTS_H

#include "builder/command.h"
#include "builder/plan/plan.h"
#include "builder/plan/target.h"

struct inputs {
    struct profile *profile;
    struct release *release; /* located */
    struct target *targets;
    size_t target_count;
    char *cache; /* nodebake's cache folder */
    char *pki;   /* --pki, or pki/ beside the cluster file */
};

/* Fills in what the cluster file leaves to its profile: the DNS domain. */
int inputs_defaults(struct cluster *cluster, struct problems *problems, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* Loads and checks them. */
int inputs_load(const struct args *args, struct inputs *out, struct error *err)
    NONNULL(1, 2, 3) MUST_CHECK;

/* What a plan of the target is made of; `base` may be NULL. */
struct plan_input inputs_of_plan(const struct args *args, const struct inputs *inputs,
                                 const struct target *target, const struct base *base)
    NONNULL(1, 2, 3);

/* Frees what the struct holds. */
void inputs_free(struct inputs *inputs);
#define AUTO_INPUTS __attribute__((cleanup(inputs_free)))

#endif
