/* Pod routes: who sends a packet to a pod of another node hands it to that node. A provider is
 * where the routes stand: a row of the table in route.c, and a file. */
#ifndef NB_BUILDER_ROUTE_H
#define NB_BUILDER_ROUTE_H

#include <jansson.h>
#include <stddef.h>

#include "builder/cluster/cluster.h"
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

enum { ROUTE_SECONDS = 120 /* that a provider's program may take for one answer */ };

/* Where routes go; NULL: not given. */
struct route_place {
    const struct cluster *cluster;
    const char *network; /* GCE: name of the VPC network */
    const char *table;   /* AWS: id of the route table */
};

/* What the provider has now, as its program tells it in JSON. */
struct route_state {
    json_t *routes, *machines; /* NULL: the provider needs none */
};

enum route_outcome { ROUTE_KEPT, ROUTE_MADE, ROUTE_REPLACED };

struct route_provider {
    const char *name;
    const char *program; /* its command-line client */
    /* Is the place one that it can have? */
    int (*check)(const struct route_place *place, struct error *err);
    /* Appends the commands that make the node's route, a line each, for a shell. */
    void (*print)(const struct route_place *place, const struct node *node, struct buffer *out);
    /* Asks for what is there. */
    int (*load)(const struct route_place *place, struct route_state *state, struct error *err);
    /* Makes the node's route, unless it is there. */
    int (*apply)(const struct route_place *place, const struct route_state *state,
                 const struct node *node, enum route_outcome *outcome, struct error *err);
};

/* The provider of that name, or NULL. */
const struct route_provider *route_provider_find(const char *name) NONNULL(1);

/* The names of all, for an error: "linux, gce, aws". */
void route_provider_names(struct buffer *out) NONNULL(1);

/* Does the node need a route? */
bool route_wanted(const struct node *node) NONNULL(1);

/* Frees what the struct holds. */
void route_state_free(struct route_state *state) NONNULL(1);
#define AUTO_ROUTE_STATE __attribute__((cleanup(route_state_free)))

/* ---- for providers ---- */

/* Runs a program (argv ends with NULL). */
int route_run(const char *const *argv, struct error *err) NONNULL(1, 2) MUST_CHECK;

/* Runs a program that answers in JSON; no answer is an empty array. *out belongs to the caller. */
int route_ask(const char *const *argv, json_t **out, struct error *err) NONNULL(1, 2, 3) MUST_CHECK;

/* The string of that key, or "". */
const char *route_text(const json_t *object, const char *key) NONNULL(2);

extern const struct route_provider route_linux, route_gce, route_aws;

#endif
