/* For tests: a small plan made by hand, without a file: one role with two units, three facts of
 * which firstboot needs two, and a tree with a secret in it. */
#ifndef NB_BUILDER_PLAN_FIXTURE_H
#define NB_BUILDER_PLAN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/heap.h"
#include "builder/plan/plan.h"

/* What must never be shown. */
#define SECRET_TEXT "-----BEGIN SECRET 5f1c9e-----\nc2VjcmV0\n"
#define PUBLIC_TEXT "public 77ab02 text\n"

/* All that a plan borrows; tests change what they need. */
struct fixture {
    struct cluster cluster;
    struct node node;
    struct fact_path paths[3];
    struct node_fact facts[3];
    struct pki_file identity[1];
    struct unit units[2];
    struct enabled_unit enabled[2];
    char *packages[2];
    struct role role;
    struct profile profile;
    struct plan plan;
};

static inline void fixture_add(struct fixture *f, struct entry entry)
{
    struct error err = ERROR_INIT;
    if (tree_add(f->plan.tree, entry, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void fixture_tree(struct fixture *f)
{
    struct error err = ERROR_INIT;
    if (tree_create(&f->plan.tree, &err) < 0)
        fail_msg("%s", err.text);
    fixture_add(f, (struct entry){.path = heap_copy("/etc/dir"),
                                  .type = ENTRY_DIR,
                                  .mode = 01777,
                                  .uid = 7,
                                  .gid = 8,
                                  .source = heap_copy("profile small")});
    fixture_add(f, (struct entry){.path = heap_copy("/etc/key.pem"),
                                  .type = ENTRY_FILE,
                                  .mode = 0600,
                                  .text = heap_copy(SECRET_TEXT),
                                  .len = strlen(SECRET_TEXT),
                                  .source = heap_copy("pki/key.pem"),
                                  .secret = true});
    fixture_add(f, (struct entry){.path = heap_copy("/etc/link"),
                                  .type = ENTRY_LINK,
                                  .target = heap_copy("../else"),
                                  .source = heap_copy("overlay common/etc/link")});
    fixture_add(f, (struct entry){.path = heap_copy("/etc/systemd/system/ours.service"),
                                  .type = ENTRY_FILE,
                                  .mode = 0644,
                                  .text = heap_copy(PUBLIC_TEXT),
                                  .len = strlen(PUBLIC_TEXT),
                                  .source = heap_copy("overlay common/ours")});
}

static inline struct fixture *fixture_create(void)
{
    static char gce[] = "gce", name[] = "name", addr[] = "network/ip", big[] = "socat";
    static bool used[] = {false, true, false}; /* NODE_NAME is wanted all the same */
    struct fixture *f = heap_array(1, sizeof *f);
    f->cluster = (struct cluster){.file = (char *)"cluster.yaml",
                                  .name = (char *)"small",
                                  .kubernetes = (char *)"1.21.0",
                                  .sources = {gce},
                                  .source_count = 1};
    f->node = (struct node){.name = (char *)"worker-0",
                            .address = (char *)"10.0.0.5",
                            .pod_cidr = (char *)"10.9.0.0/24"};
    for (size_t i = 0; i < 3; i++)
        f->paths[i] = (struct fact_path){gce, i ? addr : name};
    f->facts[0] = (struct node_fact){(char *)"NODE_NAME", VALUE_LABEL, &f->paths[0], 1, 0, 0};
    f->facts[1] = (struct node_fact){(char *)"NODE_IP", VALUE_IPV4, &f->paths[1], 1, 0, 0};
    f->facts[2] = (struct node_fact){(char *)"UNUSED", VALUE_TOKEN, &f->paths[2], 1, 0, 0};
    f->identity[0] = (struct pki_file){
        .file = (char *)"@NODE_NAME@.pem", .path = (char *)"/etc/id.pem", .mode = 0600};
    f->units[0] = (struct unit){(char *)"ours.service", (char *)"multi-user.target", 0};
    f->units[1] = (struct unit){(char *)"base.service", (char *)"basic.target", 0};
    f->enabled[0] = (struct enabled_unit){f->units[0].name, f->units[0].wanted_by,
                                          (char *)"/etc/systemd/system/ours.service"};
    f->enabled[1] = (struct enabled_unit){f->units[1].name, f->units[1].wanted_by,
                                          (char *)"/lib/systemd/system/base.service"};
    f->packages[0] = big;
    f->packages[1] = (char *)"conntrack";
    f->role = (struct role){.name = (char *)"worker",
                            .memory = UINT64_C(512) << 20,
                            .disk = UINT64_C(2) << 30,
                            .packages = {f->packages, 2, 0},
                            .identity = f->identity,
                            .identity_count = 1,
                            .units = f->units,
                            .unit_count = 2};
    f->profile = (struct profile){.file = (char *)"small.yaml",
                                  .name = (char *)"small",
                                  .facts = f->facts,
                                  .fact_count = 3,
                                  .roles = &f->role,
                                  .role_count = 1};
    f->plan = (struct plan){
        .in = {.cluster = &f->cluster, .profile = &f->profile, .role = &f->role, .node = &f->node},
        .name = f->node.name,
        .facts_used = used,
        .bytes = 3 << 19,
        .enabled = f->enabled,
        .enabled_count = 2};
    fixture_tree(f);
    return f;
}

static inline void fixture_free_at(struct fixture **f)
{
    struct plan *plan = &(*f)->plan;
    for (size_t i = 0; i < plan->always_count; i++) {
        free(plan->always[i].name);
        free(plan->always[i].target);
    }
    free(plan->always);
    tree_free(plan->tree);
    free(*f);
}
#define AUTO_FIXTURE __attribute__((cleanup(fixture_free_at)))

#endif
