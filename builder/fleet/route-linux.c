/* A Linux machine as the router: this one. */
#include <string.h>

#include "builder/fleet/route.h"
#include "builder/heap.h"

static int check(const struct route_place *place, struct error *err)
{
    if (place->network || place->table)
        return error_set(err, "--%s is not for the provider linux",
                         place->network ? "network" : "route-table");
    return 0;
}

static void print(const struct route_place *place, const struct node *node, struct buffer *out)
{
    (void)place;
    buffer_printf(out, "ip route replace %s via %s\n", node->pod_cidr, node->address);
}

static int load(const struct route_place *place, struct route_state *state, struct error *err)
{
    (void)place;
    return route_ask((const char *const[]){"ip", "-4", "-json", "route", "show", NULL},
                     &state->routes, err);
}

static int apply(const struct route_place *place, const struct route_state *state,
                 const struct node *node, enum route_outcome *outcome, struct error *err)
{
    const json_t *route;
    size_t i;
    (void)place;
    *outcome = ROUTE_MADE;
    json_array_foreach(state->routes, i, route)
    {
        if (strcmp(route_text(route, "dst"), node->pod_cidr) != 0)
            continue;
        bool same = strcmp(route_text(route, "gateway"), node->address) == 0;
        *outcome = same ? ROUTE_KEPT : ROUTE_REPLACED;
    }
    if (*outcome == ROUTE_KEPT)
        return 0;
    return route_run(
        (const char *const[]){"ip", "route", "replace", node->pod_cidr, "via", node->address, NULL},
        err);
}

const struct route_provider route_linux = {
    .name = "linux", .program = "ip", .check = check, .print = print, .load = load, .apply = apply};
