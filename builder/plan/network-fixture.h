/* For tests: a plan that parts add to, of a worker with containerd, on a base made by hand. */
#ifndef NB_BUILDER_NETWORK_FIXTURE_H
#define NB_BUILDER_NETWORK_FIXTURE_H

#include "builder/image/base.h"
#include "builder/image/disk-fixture.h"
#include "builder/plan/part.h"
#include "common/file.h"

struct network {
    struct cluster cluster;
    struct binary binaries[1];
    struct role role;
    struct member member;
    struct artifact artifact;
    struct release release;
    struct base base;
    struct plan plan;
};

static inline struct network *network_create(void)
{
    static char status[] = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\n";
    struct network *n = heap_array(1, sizeof *n);
    struct error err = ERROR_INIT;
    n->cluster = (struct cluster){.file = (char *)"cluster.yaml",
                                  .nodes_cidr = (char *)"10.240.0.0/24",
                                  .pods_cidr = (char *)"10.200.0.0/16",
                                  .services_cidr = (char *)"10.32.0.0/24",
                                  .public_address = (char *)"203.0.113.10",
                                  .domain = (char *)"cluster.local"};
    n->binaries[0] = (struct binary){.name = (char *)"containerd"};
    n->role = (struct role){
        .name = (char *)"worker", .binaries = n->binaries, .binary_count = ARRAY_LEN(n->binaries)};
    n->member = (struct member){.name = (char *)"containerd"};
    n->artifact = (struct artifact){.component = (char *)"containerd",
                                    .version = (char *)"1.6.20",
                                    .members = &n->member,
                                    .member_count = 1};
    n->release = (struct release){.artifacts = &n->artifact, .artifact_count = 1};
    n->base = (struct base){
        .os_name = (char *)"Debian 12", .dpkg_status = status, .dpkg_len = strlen(status)};
    n->plan.in = (struct plan_input){
        .cluster = &n->cluster, .role = &n->role, .release = &n->release, .base = &n->base};
    expect(tree_create(&n->plan.tree, &err), &err);
    return n;
}

/* A file of the base; it borrows path and text. */
static inline void network_file(struct network *n, const char *path, const char *text)
{
    *APPEND(n->base.files, n->base.file_count, n->base.file_cap) = (struct base_file){
        .path = (char *)path, .text = (char *)text, .len = strlen(text), .mode = 0644};
}

static inline const char *text_at(const struct network *n, const char *path)
{
    const struct entry *entry = tree_find(n->plan.tree, path);
    if (!entry || !entry->text)
        fail_msg("there is no text at %s", path);
    return entry->text;
}

static inline const struct entry *entry_at(const struct network *n, const char *path)
{
    const struct entry *entry = tree_find(n->plan.tree, path);
    if (!entry)
        fail_msg("there is no %s", path);
    return entry;
}

static inline void put_text(const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    expect(file_publish(AT_FDCWD, path, text, strlen(text), 0644, &err), &err);
}

static inline void network_free_at(struct network **n)
{
    tree_free((*n)->plan.tree);
    texts_free(&(*n)->base.paths);
    free((*n)->base.files);
    settings_free(&(*n)->cluster.settings);
    free(*n);
}
#define AUTO_NETWORK __attribute__((cleanup(network_free_at)))

#endif
