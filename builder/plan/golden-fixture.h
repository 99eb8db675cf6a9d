/* For tests: plans of the golden cluster's worker-0 with settings and a base of the test's own.
 * They run from the top folder, whose profiles and overlays they read. */
#ifndef NB_BUILDER_GOLDEN_FIXTURE_H
#define NB_BUILDER_GOLDEN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/image/base.h"
#include "builder/plan/plan.h"

static struct cluster *golden_cluster;
static struct profile *golden_profile;
static struct release golden_release = {
    .file = "release.yaml", .kubernetes = "1.21.0", .sandbox_image = "k8s.gcr.io/pause:3.4.1"};

/* Loads the profile anew, for the cluster as it is now. */
static inline void golden_choose(void)
{
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    profile_free(golden_profile);
    golden_profile = NULL;
    if (profile_load("profiles/hard-way.yaml", &golden_profile, &problems, &err) < 0)
        fail_msg("%s", err.text);
    profile_choose(golden_profile, golden_cluster);
}

/* Loads the cluster anew, without settings. */
static inline int golden_setup(void **state)
{
    (void)state;
    static const struct cluster_needs none;
    struct error err = ERROR_INIT;
    struct problems problems AUTO_PROBLEMS = {0};
    if (cluster_load("tests/golden/cluster.yaml", none, &golden_cluster, &problems, &err) < 0 ||
        profile_load("profiles/hard-way.yaml", &golden_profile, &problems, &err) < 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    profile_choose(golden_profile, golden_cluster);
    return 0;
}

static inline int golden_teardown(void **state)
{
    (void)state;
    cluster_free(golden_cluster);
    profile_free(golden_profile);
    golden_cluster = NULL;
    golden_profile = NULL;
    return 0;
}

static inline struct settings *golden_settings(void)
{
    return &golden_cluster->settings;
}

static inline struct plan_input golden_input(const struct base *base)
{
    return (struct plan_input){.cluster = golden_cluster,
                               .profile = golden_profile,
                               .release = &golden_release,
                               .role = profile_role(golden_profile, "worker"),
                               .node = cluster_node(golden_cluster, "worker-0"),
                               .base = base,
                               .data = ".",
                               .hook = "firstboot/hook",
                               .pki = "pki",
                               .firstboot = "firstboot"};
}

/* The caller frees it. */
static inline struct plan *golden_plan(const struct base *base)
{
    struct plan_input in = golden_input(base);
    struct plan *plan = NULL;
    struct error err = ERROR_INIT;
    if (plan_make(&in, &plan, &err) < 0)
        fail_msg("%s", err.text);
    return plan;
}

static inline void golden_refused(const struct base *base, const char *message)
{
    struct plan_input in = golden_input(base);
    struct plan *plan AUTO_PLAN = NULL;
    struct error err = ERROR_INIT;
    assert_int_equal(plan_make(&in, &plan, &err), -1);
    assert_string_equal(err.text, message);
}

static inline const struct entry *golden_entry(const struct plan *plan, const char *path)
{
    const struct entry *entry = tree_find(plan->tree, path);
    if (!entry)
        fail_msg("the plan has nothing at %s", path);
    return entry;
}

static inline const char *golden_text(const struct plan *plan, const char *path)
{
    const struct entry *entry = golden_entry(plan, path);
    if (!entry->text)
        fail_msg("the plan has no text at %s", path);
    return entry->text;
}

#endif
